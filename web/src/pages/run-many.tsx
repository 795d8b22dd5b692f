import { api, ask } from '../api/client.ts'
import { useWhyNot } from '../app/session.tsx'
import { KIND } from '../text.ts'
import { ActMany, ConfirmMany } from '../ui/act-many.tsx'
import { type Run, whyNotApprove, whyNotRetry } from './run-many-rules.ts'

/** Acts on the runs of the list: what failed is tried again, what waits is let go on. Shown where the filter asks for such. */
export function RunMany({
  repository,
  runs: listed,
  state,
}: {
  repository: string
  runs: readonly Run[]
  state?: string
}) {
  const whyNot = useWhyNot(repository)
  // While another filter is being asked for, the list still holds what the former one gave.
  const runs = listed.filter((run) => run.state === state)
  if (runs.length === 0) return null
  if (state === 'failed' || state === 'lost')
    return (
      <ActMany label={`Retry all ${runs.length}`} title="Try again" count={runs.length} whyNot={whyNot('run.retry')}>
        {(close) => (
          <ConfirmMany
            verb="Retry"
            can="can be tried again"
            items={runs.map((run) => ({ id: run.id, name: nameOf(run), whyNot: whyNotRetry(run, runs) }))}
            act={(run) => ask(api.POST('/api/v1/runs/{run}/retry', { params: { path: { run } } }))}
            close={close}
          />
        )}
      </ActMany>
    )
  if (state === 'awaiting_approval')
    return (
      <ActMany
        label={`Approve all ${runs.length}`}
        title="Let these go on with exactly these plans"
        count={runs.length}
        whyNot={whyNot('run.approve')}
      >
        {(close) => (
          <ConfirmMany
            verb="Approve"
            can="can be approved"
            items={runs.map((run) => ({ id: run.id, name: nameOf(run), whyNot: whyNotApprove(run) }))}
            act={(id) => {
              const digest = runs.find((run) => run.id === id)!.planDigest!
              return ask(api.POST('/api/v1/runs/{run}/approve', { params: { path: { run: id } }, body: { digest } }))
            }}
            close={close}
          />
        )}
      </ActMany>
    )
  return null
}

const nameOf = ({ kind, stack, commit }: Run): string => `${KIND[kind]} ${stack} ${commit.slice(0, 10)}`
