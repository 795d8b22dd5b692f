import type { AppliedResource, DriverPlan, ResourceChange } from '../../domain/plans/plan.ts'
import type { Grant } from '../../domain/wire/worker-protocol.ts'
import type { EngineHarness } from './harness.ts'
import { workAll, type WorkedRun } from './puppet.ts'

/** Something that is really there; `maker`: the run that made it, null where it was there before. */
export interface Thing {
  maker: string | null
  value: string
}

/** One look of a run that was not a preview. */
export interface Look {
  runId: string
  complete: boolean
}

export interface Applying {
  grant: Grant
  changes: readonly ResourceChange[]
  /** What is at an address now. */
  thingAt: (address: string) => Thing | undefined
}

/**
 * A stack as Terraform has it: resources in a file, a record of those that it manages, and what is really there. Lines of
 * `a/resources`: `web=1` is made, with a value; `web@1` is imported and `web<old` moved from another address where that
 * can be, and made otherwise. A value that begins with `!` is reached by replacing only.
 */
export interface Estate {
  managed: Map<string, Thing>
  /** What could be imported, by the address that would. */
  outside: Map<string, Thing>
  /** Addresses whose changes fail. */
  failing: Set<string>
  /** A part of the target cannot be looked at. */
  blind: boolean
  looks: Look[]
  /** Works the queue off; `witness` sees every apply before it begins. */
  work(witness?: (applying: Applying) => Promise<void>): Promise<WorkedRun[]>
}

interface Line {
  address: string
  value: string
  imports: boolean
  from: string | null
}

export function createEstate(harness: EngineHarness): Estate {
  const estate: Estate = {
    managed: new Map(),
    outside: new Map(),
    failing: new Set(),
    blind: false,
    looks: [],
    async work(witness = async () => {}) {
      return await workAll(harness, {
        async plan(grant) {
          if (grant.kind !== 'preview') estate.looks.push({ runId: grant.runId, complete: !estate.blind })
          return planOf(estate, await linesOf(harness, grant))
        },
        async apply(grant) {
          const { changes } = planOf(estate, await linesOf(harness, grant))
          await witness({ grant, changes, thingAt: (address) => estate.managed.get(address) })
          const resources = applyAll(estate, grant.runId, changes)
          return { status: resources.every(({ status }) => status === 'done') ? 'applied' : 'failed', resources }
        },
      })
    },
  }
  return estate
}

async function linesOf(harness: EngineHarness, grant: Grant): Promise<Line[]> {
  if (grant.destroy) return []
  const text = (await harness.git.readFile(grant.commit, 'a/resources'))?.toString() ?? ''
  return [...text.matchAll(/^(\w+)(?:([=@<])(.*))?$/gm)].map(([, address = '', sign, rest = '']) => ({
    address,
    value: sign === '=' ? rest : '',
    imports: sign === '@',
    from: sign === '<' ? rest : null,
  }))
}

function planOf({ managed, outside, blind }: Estate, lines: readonly Line[]): DriverPlan {
  const wanted = new Set(lines.map(({ address }) => address))
  /** Address → where it goes. What is moved makes room for another in its place. */
  const moved = new Map<string, string>()
  for (const { address, from } of lines)
    if (from !== null && managed.has(from) && !managed.has(address) && !moved.has(from)) moved.set(from, address)
  const changes = lines.flatMap(({ address, value, imports, from }): ResourceChange[] => {
    const thing = moved.has(address) ? undefined : managed.get(address)
    if (thing)
      return thing.value === value ? [] : [change(address, value.startsWith('!') ? 'replace' : 'update', value)]
    if (from !== null && moved.get(from) === address)
      return [{ ...change(address, 'update', value), previousAddress: from }]
    return [change(address, imports && outside.has(address) ? 'import' : 'create', value)]
  })
  const gone = [...managed.keys()].filter((address) => !wanted.has(address) && !moved.has(address))
  return {
    changes: [...changes, ...gone.map((address) => change(address, 'delete', null))],
    coverage: {
      checked: lines.length,
      unchecked: blind ? [{ address: 'elsewhere', why: 'it is off', unreachable: true }] : [],
    },
    outputs: {},
    findings: [],
    toolVersions: { estate: '1.0.0' },
  }
}

const change = (address: string, action: ResourceChange['actions'][number], value: string | null): ResourceChange => ({
  address,
  type: 'thing',
  actions: [action],
  attributes: value === null ? [] : [{ path: 'value', after: value }],
  cause: 'config',
})

function applyAll(estate: Estate, runId: string, changes: readonly ResourceChange[]): AppliedResource[] {
  const { managed, outside, failing } = estate
  for (const { address, previousAddress: from } of changes) {
    if (from === undefined) continue
    managed.set(address, managed.get(from)!)
    managed.delete(from)
  }
  return changes.map(({ address, actions, attributes }) => {
    const [action] = actions
    const after = attributes[0]?.after
    const value = typeof after === 'string' ? after : ''
    // An import is in the record before anything can fail.
    if (action === 'import') {
      managed.set(address, outside.get(address)!)
      outside.delete(address)
    }
    if (failing.has(address)) return { address, actions, status: 'failed', message: 'no such luck' }
    if (action === 'delete') managed.delete(address)
    else if (action === 'create' || action === 'replace') managed.set(address, { maker: runId, value })
    else managed.get(address)!.value = value
    return { address, actions, status: 'done' }
  })
}
