import type { CreateChangeSetInput } from '@aws-sdk/client-cloudformation'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { type Cloud } from '../api/cloud.ts'
import { objectUrl, upload } from './upload.ts'
import type { CloudFormationConfig } from '../config.ts'
import { type Artefact, artefact, packageTemplate } from './artefacts.ts'
import { type ParameterValues, parameterValues } from './parameters.ts'
import { readTemplate, type SourceTemplate } from './read.ts'

/** What AWS takes in one request; larger ones have to lie in a bucket ("CloudFormation quotas"). */
const MAX_BODY_BYTES = 51_200

/** The source of a stack, read and resolved. */
export interface Source {
  template: SourceTemplate
  parameters: ParameterValues
}

export async function readSource(context: DriverContext<CloudFormationConfig>): Promise<Source> {
  const template = await readTemplate(context)
  return { template, parameters: await parameterValues(context, template.value) }
}

/** What a change set is made of, and the code that has to be in the bucket before it is executed. */
export interface Prepared {
  input: Omit<CreateChangeSetInput, 'ChangeSetName' | 'ChangeSetType'>
  code: Artefact[]
}

/**
 * Packages the template and puts templates into the bucket, where AWS reads them for the change set. Code is not
 * uploaded here: a plan may leave nothing that is meant to run.
 */
export async function prepare(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  { template, parameters }: Source,
): Promise<Prepared> {
  const { config } = context
  const url = (key: string): string => objectUrl(cloud, config.bucket ?? '', key)
  const { body, artefacts } = await packageTemplate(context, template, url)
  const templates = artefacts.filter(({ kind }) => kind === 'template')
  if (templates.length > 0) await upload(cloud, config.bucket ?? '', templates, context)
  const sent = await templateInput(context, cloud, body)
  return {
    code: artefacts.filter(({ kind }) => kind === 'code'),
    input: {
      StackName: cloud.stackName,
      ...sent,
      Parameters: parameters.given,
      Tags: Object.entries(config.tags).map(([Key, Value]) => ({ Key, Value })),
      Capabilities: config.capabilities,
      ...(config.roleArn && { RoleARN: config.roleArn }),
      NotificationARNs: config.notificationArns,
      IncludeNestedStacks: mayNest(template),
    },
  }
}

/** How a template is sent: in the request, or from the bucket where it is too large for one. CONFIG_INVALID without one. */
export async function templateInput(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  body: string,
): Promise<{ TemplateBody: string } | { TemplateURL: string }> {
  const bytes = Buffer.byteLength(body)
  if (bytes <= MAX_BODY_BYTES) return { TemplateBody: body }
  const { bucket } = context.config
  if (bucket === undefined) throw tooLarge(context, bytes)
  const whole = artefact(context, Buffer.from(body), 'template', 'template')
  await upload(cloud, bucket, [whole], context)
  return { TemplateURL: objectUrl(cloud, bucket, whole.key) }
}

/** Asked for only where it can matter: it has limits of its own. Macros may make what does not stand here. */
const mayNest = ({ value, text }: SourceTemplate): boolean =>
  value['Transform'] !== undefined || text.includes('AWS::CloudFormation::Stack')

function tooLarge({ stack }: DriverContext<unknown>, bytes: number): TrueupError {
  return new TrueupError('CONFIG_INVALID', {
    doing: `sending the template of stack "${stack.name}"`,
    why: `it has ${bytes} bytes, AWS takes ${MAX_BODY_BYTES} in a request, and there is no bucket to put it into`,
    next: 'Name a bucket that CloudFormation can read in `with.bucket`, or split the template.',
  })
}
