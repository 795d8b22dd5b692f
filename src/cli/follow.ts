import { describeState, isFinal } from '../domain/runs/run.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { MrDetail } from '../server/schemas/merge-requests.ts'
import { RunDetail, RunSummary } from '../server/schemas/plans.ts'
import type { Client } from './client.ts'
import { collect, type Output } from './output.ts'
import { atStandstill } from './standstill.ts'
import { waitFor } from './wait.ts'

/** What following needs: where to ask, where to tell, and when to stop. */
export interface Following {
  client: Client
  output: Output
  signal: AbortSignal
  timeoutMs: number
}

export const runPath = (id: string): string => `/api/v1/runs/${encodeURIComponent(id)}`

/** Waits for the end of a run and tells every state on the way. */
export async function followRun(following: Following, id: string): Promise<RunDetail> {
  const tell = teller(following.output)
  const run = await waitFor(
    () => following.client.get(runPath(id), RunDetail),
    (answer) => answer.finishedAt !== null,
    { ...following, doing: `waiting for run ${id}`, show: (answer) => tell([answer]) },
  )
  following.output.endProgress()
  return run
}

/**
 * Waits until everything that a merged MR deploys has ended, or waits for something that does not come by itself: an
 * approval, or a stack whose upstream failed. Gives the newest run of each stack.
 */
export async function followDeployments(following: Following, mrPath: string): Promise<RunSummary[]> {
  const { client, output } = following
  const number = /\d+$/.exec(mrPath)?.[0] ?? ''
  const runsPath = mrPath.replace(/merge-requests\/\d+$/, 'runs')
  const tell = teller(output)
  const dependsOnOf = async (id: string) => (await client.get(runPath(id), RunDetail)).dependsOn
  const ask = async (): Promise<{ over: boolean; enacted: boolean; problem: string; runs: RunSummary[] }> => {
    const { enacted, problems } = await client.get(mrPath, MrDetail.pick({ enacted: true, problems: true }))
    // Asked after it: whatever was ordered by then is in the list.
    const all = await collect(client.all(runsPath, RunSummary, { mr: number }))
    const changing = all.filter(({ kind }) => kind === 'deploy' || kind === 'destroy')
    const runs = changing.filter((run, i) => changing.findIndex(({ stackId }) => stackId === run.stackId) === i)
    const over = enacted && (runs.every(({ state }) => isFinal(state)) || (await standsStill(runs)))
    return { over, enacted, problem: problems.map(({ why }) => `: ${why}`).join(''), runs: runs.reverse() }
  }
  const standsStill = async (runs: RunSummary[]): Promise<boolean> => {
    const awaiting = await collect(client.all(runsPath, RunSummary, { state: 'awaiting_approval' }))
    return await atStandstill(
      runs,
      awaiting.map(({ id }) => id),
      dependsOnOf,
    )
  }
  const { runs } = await waitFor(ask, ({ over }) => over, {
    ...following,
    doing: `waiting for the deployments of !${number}`,
    show: ({ enacted, problem, runs }) =>
      enacted ? tell(runs) : output.progress(`ordering the deployments of !${number}${problem}`),
  })
  output.endProgress()
  return runs
}

/** Waits until an MR is merged by whoever merges it; CANCELED when it is closed instead. */
export async function followMerge(following: Following, mrPath: string): Promise<MrDetail> {
  const { client, output } = following
  const mr = await waitFor(
    () => client.get(mrPath, MrDetail),
    ({ state }) => state === 'merged' || state === 'closed',
    {
      ...following,
      doing: `waiting for ${mrPath.replace(/.*\//, '!')} to be merged`,
      show: (answer) =>
        answer.state === 'open' &&
        output.progress(`!${answer.number} ${answer.planned ? missing(answer) : 'is being planned'}`),
    },
  )
  output.endProgress()
  if (mr.state === 'merged') return mr
  throw new TrueupError('CANCELED', { doing: `waiting for !${mr.number} to be merged`, why: 'it was closed' })
}

const missing = (mr: MrDetail): string => {
  const unmet = mr.requirements.filter(({ blocking, satisfied }) => blocking && !satisfied)
  return unmet.length === 0 ? 'is being merged' : `waits: ${unmet.map(({ message }) => message).join('; ')}`
}

/** A run that a newer merge has made pointless is no failure of this one. */
export const wentWell = ({ state }: Pick<RunSummary, 'state'>): boolean =>
  state === 'succeeded' || state === 'superseded'

export const runLine = (run: RunSummary): string =>
  run.state === 'succeeded'
    ? `${run.stack}: succeeded`
    : `${run.stack}: ${describeState(run.state, run.reason)}${run.message ? ` — ${run.message}` : ''}`

/** How a person lets a run go on that waits for them; null where it does not. */
export const howToApprove = ({ id, state }: Pick<RunSummary, 'id' | 'state'>): string | null =>
  state === 'awaiting_approval' ? `trueup run show ${id}; trueup run approve ${id}` : null

/** Tells of runs: one line that changes on a terminal, a line for every new state elsewhere. */
function teller(output: Output): (runs: readonly RunSummary[]) => void {
  const told = new Map<string, string>()
  return (runs) => {
    for (const run of runs) {
      const line = runLine(run)
      if (told.get(run.id) === line) continue
      told.set(run.id, line)
      // What waits for a person must not be overwritten by the next line.
      const how = howToApprove(run)
      if (!output.live || how !== null || isFinal(run.state)) output.note(how === null ? line : `${line}\n  ${how}`)
    }
    const open = runs.filter(({ state }) => !isFinal(state))
    if (output.live && open.length > 0)
      output.progress(`${runs.length - open.length} of ${runs.length} done; ${open.map(runLine).join(', ')}`)
  }
}
