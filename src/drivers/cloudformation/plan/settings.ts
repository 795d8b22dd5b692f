import { asText } from '../template/text.ts'
import { readFile } from 'node:fs/promises'
import type { Stack } from '@aws-sdk/client-cloudformation'
import type { ResourceChange } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { canonicalJson } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { Cloud } from '../api/cloud.ts'
import type { CloudFormationConfig } from '../config.ts'
import { STACK_TYPE, stackAddress } from '../names.ts'
import { insideWorkspace } from '../../paths/inside.ts'

/** The stack policy as the repository has it, or undefined where the stack names none. SOURCE_INVALID for no JSON. */
export async function wantedPolicy(context: DriverContext<CloudFormationConfig>): Promise<string | undefined> {
  const name = context.config.stackPolicy
  if (name === undefined) return undefined
  const doing = `reading the stack policy ${name} of stack "${context.stack.name}"`
  const text = await readFile(await insideWorkspace(context, name), 'utf8').catch((cause: unknown) => {
    throw new TrueupError('SOURCE_INVALID', { doing, why: 'it does not exist', cause })
  })
  try {
    return canonicalJson(JSON.parse(text))
  } catch (cause) {
    throw new TrueupError('SOURCE_INVALID', { doing, why: (cause as Error).message, cause })
  }
}

/** What of the stack itself is not as the configuration wants it; no change sets know these. */
export async function settingChanges(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  stack: Stack | null,
): Promise<ResourceChange[]> {
  const policy = await wantedPolicy(context)
  const isNew = stack === null
  const attributes: ResourceChange['attributes'] = []
  const { terminationProtection: wanted } = context.config
  const now = stack?.EnableTerminationProtection ?? false
  if (wanted !== undefined && wanted !== now) {
    attributes.push({ path: 'terminationProtection', ...(!isNew && { before: now }), after: wanted })
  }
  if (policy !== undefined) {
    const before = stack?.StackId === undefined ? undefined : await currentPolicy(cloud, stack.StackId)
    if (before !== policy) {
      attributes.push({ path: 'stackPolicy', ...(before !== undefined && { before }), after: policy })
    }
  }
  if (attributes.length === 0) return []
  return [
    { address: stackAddress(cloud.stackName), type: STACK_TYPE, actions: ['update'], attributes, cause: 'config' },
  ]
}

async function currentPolicy(cloud: Cloud, StackName: string): Promise<string | undefined> {
  const { StackPolicyBody: body } = await cloud.call('reading the stack policy', (api, o) =>
    api.getStackPolicy({ StackName }, o),
  )
  if (!body) return undefined
  try {
    return canonicalJson(JSON.parse(body))
  } catch {
    return body
  }
}

/** Brings the stack's settings where they should be. Detached: it follows a change that is done. */
export async function applySettings(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  change: ResourceChange,
): Promise<void> {
  const StackName = cloud.stackName
  for (const { path, after } of change.attributes) {
    if (path === 'terminationProtection') {
      const EnableTerminationProtection = after === true
      await cloud.call(
        'setting the termination protection',
        (api, o) => api.updateTerminationProtection({ StackName, EnableTerminationProtection }, o),
        { detached: true },
      )
      context.log(`termination protection is ${EnableTerminationProtection ? 'on' : 'off'}`)
    } else if (path === 'stackPolicy') {
      const StackPolicyBody = asText(after)
      await cloud.call('setting the stack policy', (api, o) => api.setStackPolicy({ StackName, StackPolicyBody }, o), {
        detached: true,
      })
      context.log('the stack policy is set')
    }
  }
}
