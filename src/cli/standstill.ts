import { isFinal, type RunState } from '../domain/runs/run.ts'

interface Standing {
  id: string
  state: RunState
}

/**
 * Whether nothing more happens to runs until a person does something: each is over, blocked, waits for an approval, or is
 * queued behind one that does. `awaiting`: ids of all runs that wait for an approval, also of other merge requests.
 * `dependsOnOf` is asked of queued runs, and only when nothing else is under way.
 */
export async function atStandstill(
  runs: readonly Standing[],
  awaiting: readonly string[],
  dependsOnOf: (id: string) => Promise<readonly string[]>,
): Promise<boolean> {
  const open = runs.filter(({ state }) => !isFinal(state) && state !== 'blocked' && state !== 'awaiting_approval')
  if (open.some(({ state }) => state !== 'queued')) return false
  const stuck = new Set([...awaiting, ...runs.filter(({ state }) => state === 'awaiting_approval').map(({ id }) => id)])
  if (open.length > 0 && stuck.size === 0) return false
  let behind = await Promise.all(open.map(async ({ id }) => ({ id, dependsOn: await dependsOnOf(id) })))
  for (;;) {
    const free = behind.filter(({ dependsOn }) => !dependsOn.some((id) => stuck.has(id)))
    if (free.length === behind.length) return free.length === 0
    for (const run of behind) if (!free.includes(run)) stuck.add(run.id)
    behind = free
  }
}
