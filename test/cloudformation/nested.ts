import { asText } from './compare.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { type Account, arn, type Nested, type NestedOperations } from './account.ts'
import { ServiceError } from './answer.ts'
import { parameterValues, readTemplate } from './desired.ts'
import { runCreate, runDelete, runUpdate } from './execute.ts'
import type { Stack, StackResource } from './model.ts'

/** Reads a template that lies in a bucket of the double, by path-style or virtual-hosted URL, or `s3://`. */
export function templateAt(account: Account, url: string): string {
  const { hostname, pathname, protocol } = new URL(url)
  const virtual = /^(.+)\.s3[.-]/.exec(hostname)?.[1]
  const key = decodeURIComponent(pathname.slice(1))
  const file = account.files.get(protocol === 's3:' ? `${hostname}/${key}` : virtual ? `${virtual}/${key}` : key)
  if (file === undefined)
    throw new ServiceError('ValidationError', `S3 error: The specified key does not exist. (${url})`)
  return file.toString('utf8')
}

export function emptyStack(account: Account, name: string): Stack {
  return {
    id: arn(account, 'stack', name),
    name,
    status: 'REVIEW_IN_PROGRESS',
    created: new Date(),
    body: '',
    processed: {},
    parameters: {},
    tags: {},
    capabilities: [],
    resources: new Map(),
    outputs: {},
    events: [],
    protected: false,
    driftStatus: 'NOT_CHECKED',
    cancelRequested: false,
  }
}

/** What a nested stack is to become, from the properties of its resource. */
export function nestedWanted(account: Account, properties: JsonObject) {
  const body = templateAt(account, asText(properties['TemplateURL']))
  const processed = readTemplate(body)
  const given = Object.entries((properties['Parameters'] as JsonObject | undefined) ?? {})
  const parameters = parameterValues(
    processed,
    given.map(([key, value]) => ({
      key,
      value: Array.isArray(value) ? value.map(asText).join(',') : asText(value),
      previous: false,
    })),
    {},
  )
  return { body, processed, parameters, tags: {} }
}

/** Creates a nested stack; a text is the reason why not. */
async function createNested(
  account: Account,
  parent: Stack,
  { logicalId, properties, token }: Nested & { logicalId: string },
): Promise<Stack | string> {
  const child = emptyStack(
    account,
    `${parent.name}-${logicalId}-${Math.random().toString(36).slice(2, 14).toUpperCase()}`,
  )
  child.parent = parent.id
  child.root = parent.root ?? parent.id
  account.stacks.push(child)
  try {
    await runCreate(account, child, { ...nestedWanted(account, properties), ...(token && { token }) })
  } catch (thrown) {
    if (thrown instanceof ServiceError) return thrown.message
    throw thrown
  }
  return child.status === 'CREATE_COMPLETE'
    ? child
    : `Embedded stack ${child.id} was not successfully created: ${failed(child)}`
}

async function updateNested(
  account: Account,
  { resource, properties, token }: Nested & { resource: StackResource },
): Promise<string | undefined> {
  const child = account.stacks.find(({ id }) => id === resource.physicalId)
  if (child === undefined) return `Stack ${resource.physicalId} does not exist`
  await runUpdate(account, child, { ...nestedWanted(account, properties), ...(token && { token }) })
  return child.status === 'UPDATE_COMPLETE'
    ? undefined
    : `Embedded stack ${child.id} was not successfully updated: ${failed(child)}`
}

async function deleteNested(account: Account, id: string): Promise<void> {
  const child = account.stacks.find((stack) => stack.id === id)
  if (child) await runDelete(account, child, { retain: [] })
}

const failed = (stack: Stack): string =>
  `The following resource(s) failed: [${stack.events
    .filter(({ status }) => status.endsWith('_FAILED'))
    .map(({ logicalId }) => logicalId)
    .join(', ')}].`

export const nestedOperations: NestedOperations = { create: createNested, update: updateNested, delete: deleteNested }
