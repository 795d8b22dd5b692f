import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { JsonObject } from '../../lib/json.ts'
import { isEncrypted } from './state-file.ts'

const Instance = z.looseObject({
  index_key: z.union([z.string(), z.number()]).optional(),
  status: z.string().optional(),
  deposed: z.string().optional(),
  attributes: z.custom<JsonObject>(() => true).nullish(),
  /** Addresses of resources, without keys of instances. */
  dependencies: z.array(z.string()).nullish(),
})
const Resource = z.looseObject({
  module: z.string().optional(),
  mode: z.string(),
  type: z.string(),
  name: z.string(),
  provider: z.string(),
  instances: z.array(Instance).default([]),
})
const State = z.looseObject({ resources: z.array(Resource).default([]) })

/** One object of a state, without its values: which of those are secret only the provider's schema tells. */
export interface StateObject {
  address: string
  type: string
  provider: string
  /** `tainted`: to be replaced; `deposed KEY`: an old one that is still to be destroyed. */
  note: string | null
  /** Resources that it needs, without keys of instances: `aws_vpc.main`. */
  needs: string[]
}

/**
 * The managed objects of a state file (version 4), in the tool's own addresses and order. TOOL_OUTPUT for another shape,
 * CONFLICT for one that OpenTofu has encrypted.
 */
export const objectsOfState = (body: Buffer): StateObject[] =>
  instancesOfState(body).map(({ values: _values, ...object }) => object)

/** The same with their values in clear, secrets among them: not to be answered to anybody. */
export function instancesOfState(body: Buffer): (StateObject & { values: JsonObject })[] {
  refuseEncrypted(body, 'listing the state')
  const parsed = State.safeParse(JSON.parse(body.toString('utf8')))
  if (!parsed.success)
    throw new TrueupError('TOOL_OUTPUT', { doing: 'listing the state', why: z.prettifyError(parsed.error) })
  return parsed.data.resources
    .filter(({ mode }) => mode === 'managed')
    .flatMap(({ module, type, name, provider, instances }) =>
      instances.map(({ index_key: key, status, deposed, attributes, dependencies }) => ({
        address: `${module === undefined ? '' : `${module}.`}${type}.${name}${key === undefined ? '' : `[${JSON.stringify(key)}]`}`,
        type,
        provider: /\["(.+)"\]/.exec(provider)?.[1] ?? provider,
        note: deposed !== undefined ? `deposed ${deposed}` : status === 'tainted' ? 'tainted' : null,
        needs: dependencies ?? [],
        values: attributes ?? {},
      })),
    )
}

/** Of an encrypted state there is nothing to show: throws what says so, and who can. */
export function refuseEncrypted(body: Buffer, doing: string): void {
  if (!isEncrypted(body)) return
  throw new TrueupError('CONFLICT', {
    doing,
    why: 'OpenTofu has encrypted it with a key that the server does not have: Trueup keeps, locks and restores its versions, and cannot look into them',
    next: 'Use `tofu state list` and `tofu state pull` where the key is; docs/drivers/terraform.md says how to reach the state.',
  })
}
