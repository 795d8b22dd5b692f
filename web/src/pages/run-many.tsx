import { api, ask } from '../api/client.ts'
import { useWhyNot } from '../app/session.tsx'
import { t } from '../strings/runs.ts'
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
      <ActMany label={t.retryAll(runs.length)} title={t.tryAgain} count={runs.length} whyNot={whyNot('run.retry')}>
        {(close) => (
          <ConfirmMany
            verb={t.retry}
            can={t.canBeTriedAgain}
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
        label={t.approveAll(runs.length)}
        title={t.letTheseGoOnWith}
        count={runs.length}
        whyNot={whyNot('run.approve')}
      >
        {(close) => (
          <ConfirmMany
            verb={t.approve}
            can={t.canBeApproved}
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
