import { digestOf } from '../../lib/digest.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Run } from '../../store/runs/runs.ts'
import type { Store } from '../../store/open.ts'
import { type EngineParts, workerActor } from '../parts.ts'

const DAY_MS = 24 * 3_600_000
/** Stacks of which it is remembered; beyond it the oldest are told once more. */
const REMEMBERED = 50_000
/** Targets that one event names. */
const MOST_TARGETS = 100

/** Of checks by the clock: what was told of a stack last, and on which day. A restart tells it once more. */
const told = new WeakMap<Store, Map<string, string>>()

/**
 * Which secrets a run was given, by name, when it was given them: variables, tokens for clouds, sensitive inputs. Never values.
 * Nothing where there are none. Of checks by the clock one a stack and day, unless they are others.
 */
export async function noteSecrets(
  { store }: EngineParts,
  run: Run,
  phase: 'plan' | 'apply',
  given: { variables: readonly string[]; tokens: readonly string[]; inputs: readonly string[] },
): Promise<void> {
  if (given.variables.length + given.tokens.length + given.inputs.length === 0) return
  await note(store, run, 'run.secrets', { phase, ...given } as unknown as JsonObject)
}

/** What the tools of a run tried to reach from their sandbox and were not let to. */
export async function noteEgress({ store }: EngineParts, run: Run, targets: readonly string[] = []): Promise<void> {
  if (targets.length === 0) return
  await note(store, run, 'run.egress_refused', { targets: targets.slice(0, MOST_TARGETS) as string[] })
}

async function note(store: Store, run: Run, action: string, facts: JsonObject): Promise<void> {
  if (run.kind === 'drift' && !isNews(store, run, action, facts)) return
  const { stackId, kind } = run
  const data = { ...facts, stackId, kind }
  const event = {
    actor: workerActor(run.workerId ?? ''),
    action,
    subject: run.id,
    repositoryId: run.repositoryId,
    data,
  }
  await store.transaction((tx) => appendAudit(tx, event))
}

function isNews(store: Store, run: Run, action: string, facts: JsonObject): boolean {
  const known = told.get(store) ?? new Map<string, string>()
  told.set(store, known)
  const key = `${run.stackId} ${action}`
  const now = `${Math.floor(store.clock.now() / DAY_MS)} ${digestOf(facts)}`
  if (known.get(key) === now) return false
  known.delete(key)
  known.set(key, now)
  if (known.size > REMEMBERED) known.delete(known.keys().next().value!)
  return true
}

/** Names of those of these values that are secret. */
export const secretNames = (values: { readonly [name: string]: { secret?: boolean; sensitive?: boolean } }): string[] =>
  Object.entries(values)
    .filter(([, { secret, sensitive }]) => secret === true || sensitive === true)
    .map(([name]) => name)
    .sort()
