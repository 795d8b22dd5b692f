import { useNavigate } from '@tanstack/react-router'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/stack.ts'
import { Act } from '../../ui/act.tsx'
import { TakesBack } from './takes-back.tsx'

/** Back to before a deployment, or before the last one where it is not `exact`: says what that takes back before it is done. */
export function RollBack({
  repository,
  stack: key,
  deployment: last,
  exact = false,
}: {
  repository: string
  /** environment/name */
  stack: string
  deployment: Schemas['Deployment'] | undefined
  exact?: boolean
}) {
  const whyNot = useWhyNot(repository)
  const navigate = useNavigate()
  const whyNotNow =
    whyNot('rollback.create') ??
    (last === undefined ? t.nothingWasDeployedYet : last.previousCommit === null ? t.itWasTheFirstDeployment : null)
  return (
    <Act
      label={t.rollBack}
      title={t.rollBack2(key)}
      lead={t.aMergeRequestRevertsThe}
      command={`trueup rollback --stack ${key} --reason REASON --repo ${repository}`}
      run={async (reason) => {
        const mr = await ask(
          api.POST('/api/v1/repositories/{repository}/rollbacks', {
            params: { path: { repository } },
            body: {
              reason,
              target: exact && last ? { what: 'deployment', deployment: last.id } : { what: 'stack', stack: key },
            },
          }),
        )
        await navigate({ to: '/r/$repository/mr/$number', params: { repository, number: String(mr.number) } })
      }}
      done={t.theRevertIsMade}
      reason={{ label: t.why }}
      variant="danger"
      whyNot={whyNotNow}
    >
      {last && <TakesBack deployment={last} />}
    </Act>
  )
}
