import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { Act } from '../../ui/act.tsx'
import { runQuery } from '../../api/queries.ts'
import { Summary } from '../../ui/summary.tsx'

type Deployment = Schemas['Deployment']

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
  deployment: Deployment | undefined
  exact?: boolean
}) {
  const whyNot = useWhyNot(repository)
  const navigate = useNavigate()
  const whyNotNow =
    whyNot('rollback.create') ??
    (last === undefined
      ? 'Nothing was deployed yet'
      : last.previousCommit === null
        ? 'It was the first deployment: there is nothing to go back to'
        : null)
  return (
    <Act
      label="Roll back"
      title={`Roll ${key} back`}
      lead="A merge request reverts the change in Git on the fast lane; what is deployed now is quarantined, so that nothing brings it back."
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
      done="The revert is made"
      reason={{ label: 'Why' }}
      variant="danger"
      whyNot={whyNotNow}
    >
      {last && <TakesBack deployment={last} />}
    </Act>
  )
}

/** What the deployment did is what the rollback takes back; its exact plan is on the merge request before anything happens. */
function TakesBack({ deployment }: { deployment: Deployment }) {
  const run = useQuery(runQuery(deployment.run)).data
  const destroyed = run?.plan?.changes.filter(({ actions }) => actions.includes('create')) ?? []
  return (
    <div className="rounded border border-line bg-sunken px-3 py-2">
      <p>
        It takes back <code>{deployment.commit.slice(0, 10)}</code>
        {deployment.mr !== null && ` (!${deployment.mr})`}: <Summary summary={deployment.summary} />
      </p>
      {destroyed.length > 0 && (
        <>
          <p className="pt-1 font-medium text-bad">It created, so going back destroys:</p>
          <ul className="max-h-40 overflow-y-auto">
            {destroyed.slice(0, 50).map(({ address }) => (
              <li key={address}>
                <code className="wrap-anywhere">{address}</code>
              </li>
            ))}
            {destroyed.length > 50 && <li className="text-muted">and {destroyed.length - 50} more</li>}
          </ul>
        </>
      )}
      <p className="pt-1 text-sm text-muted">
        The plan of the revert is on its merge request before anything is applied.
      </p>
    </div>
  )
}
