import type { DriverPlan, Output, ResourceChange } from '../../domain/plans/plan.ts'
import type { Grant } from '../../domain/wire/worker-protocol.ts'
import type { EngineHarness } from './harness.ts'
import { type PuppetScript, workAll, type WorkedRun } from './puppet.ts'

/**
 * A pretended reality behind the puppet: each stack is one resource `thing` whose value is what its file `value` says at
 * the run's commit, followed by its inputs. Plans compare that with what is there, so that drift, half-done changes and
 * the order of deployments have real consequences.
 */
export interface World {
  /**
   * stack (`environment/name`) → value; a stack that is not there does not exist. One that begins with `foreign` cannot be
   * updated: it is destroyed and made anew.
   */
  things: Map<string, string>
  /** Stacks whose apply is to fail half-way. */
  failing: Set<string>
  /** Stacks whose outputs are known only after their apply. */
  secretive: Set<string>
  /** What was applied, in order: `stack=value`. */
  applied: string[]
  /** Works the queue off. */
  work(): Promise<WorkedRun[]>
  /** Works the queue off with a reality that happens to be what each run wants. */
  adopt(): Promise<WorkedRun[]>
  script: PuppetScript
}

export function createWorld(harness: EngineHarness): World {
  const world: World = {
    things: new Map(),
    failing: new Set(),
    secretive: new Set(),
    applied: [],
    work: () => workAll(harness, world.script),
    adopt: () =>
      workAll(harness, {
        async plan(grant) {
          world.things.set(keyOf(grant), await wantedOf(harness, grant))
          return await world.script.plan(grant)
        },
      }),
    script: {
      plan: (grant) => planOf(harness, world, grant),
      async apply(grant) {
        const key = keyOf(grant)
        if (world.failing.has(key)) {
          return {
            status: 'failed',
            resources: [
              { address: 'half', actions: ['create'], status: 'done' },
              { address: 'thing', actions: ['update'], status: 'failed', message: 'no such luck' },
            ],
          }
        }
        const wanted = grant.destroy ? null : await wantedOf(harness, grant)
        if (wanted === null) world.things.delete(key)
        else world.things.set(key, wanted)
        world.applied.push(`${key}=${wanted ?? '(destroyed)'}`)
        return { outputs: wanted === null ? {} : outputsOf(wanted) }
      },
    },
  }
  return world
}

export const keyOf = (grant: Grant): string => `${grant.stack.environment}/${grant.stack.name}`

async function wantedOf(harness: EngineHarness, grant: Grant): Promise<string> {
  const file = await harness.git.readFile(grant.commit, `${grant.stack.path}/value`)
  const inputs = Object.entries(grant.inputs).map(
    ([name, { value }]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const variables = Object.entries(grant.variables).map(([name, { value }]) => `${name}:${value}`)
  return [file?.toString() ?? '', ...inputs.sort(), ...variables.sort()].join('|')
}

const outputsOf = (value: string): { [name: string]: Output } => ({ value: { value, sensitive: false } })

async function planOf(harness: EngineHarness, world: World, grant: Grant): Promise<Partial<DriverPlan>> {
  const there = world.things.get(keyOf(grant))
  if (grant.destroy) return { changes: there === undefined ? [] : [change('delete', { before: there })] }
  const wanted = await wantedOf(harness, grant)
  const unknown = world.secretive.has(keyOf(grant)) && there !== wanted
  const outputs = unknown ? { value: { value: null, sensitive: false, unknown: true } } : outputsOf(wanted)
  if (there === wanted) return { outputs }
  const attribute = there === undefined ? { after: wanted } : { before: there, after: wanted }
  const action = there === undefined ? 'create' : there.startsWith('foreign') ? 'replace' : 'update'
  return { outputs, changes: [change(action, attribute)] }
}

function change(
  action: 'create' | 'update' | 'replace' | 'delete',
  attribute: { before?: string; after?: string },
): ResourceChange {
  return {
    address: 'thing',
    type: 'thing',
    actions: [action],
    attributes: [{ path: 'value', ...attribute }],
    cause: 'config',
  }
}
