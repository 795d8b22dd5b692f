import { api, ask, type Schemas } from '../api/client.ts'
import { useWhyNot } from '../app/session.tsx'
import { t } from '../strings/merge-requests.ts'
import { ActMany, ConfirmMany } from '../ui/act-many.tsx'

/** Looks at the plans of all listed merge requests again; failed ones are made anew. */
export function PlanMany({ repository, mrs }: { repository: string; mrs: readonly Schemas['MergeRequestSummary'][] }) {
  const whyNot = useWhyNot(repository)('mr.plan')
  const open = mrs.filter(({ state }) => state === 'open').length
  if (open === 0) return null
  return (
    <ActMany label={t.planAgain2(open)} title={t.lookAtThePlansAgain} count={open} whyNot={whyNot}>
      {(close) => (
        <ConfirmMany
          verb={t.plan2}
          can={t.canBePlanned}
          items={mrs.map(({ number, title, state }) => ({
            id: String(number),
            name: `!${number} ${title}`,
            whyNot: state === 'open' ? null : t.itIs(state),
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
