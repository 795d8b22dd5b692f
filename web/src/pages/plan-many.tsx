import { api, ask, type Schemas } from '../api/client.ts'
import { useWhyNot } from '../app/session.tsx'
import { ActMany, ConfirmMany } from '../ui/act-many.tsx'

/** Looks at the plans of all listed merge requests again; failed ones are made anew. */
export function PlanMany({ repository, mrs }: { repository: string; mrs: readonly Schemas['MergeRequestSummary'][] }) {
  const whyNot = useWhyNot(repository)('mr.plan')
  const open = mrs.filter(({ state }) => state === 'open').length
  if (open === 0) return null
  return (
    <ActMany label={`Plan again: ${open}`} title="Look at the plans again" count={open} whyNot={whyNot}>
      {(close) => (
        <ConfirmMany
          verb="Plan"
          can="can be planned"
          items={mrs.map(({ number, title, state }) => ({
            id: String(number),
            name: `!${number} ${title}`,
            whyNot: state === 'open' ? null : `it is ${state}`,
          }))}
          act={(number) =>
            ask(
              api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/plan', {
                params: { path: { repository, number: Number(number) } },
              }),
            )
          }
          close={close}
        />
      )}
    </ActMany>
  )
}
