import { useQuery } from '@tanstack/react-query'
import type { Schemas } from '../../api/client.ts'
import { runQuery } from '../../api/queries.ts'
import { t } from '../../strings/stack.ts'
import { Summary } from '../../ui/summary.tsx'

/** What the deployment did is what the rollback takes back; its exact plan is on the merge request before anything happens. `named`: one of several stacks. */
export function TakesBack({ deployment, named = false }: { deployment: Schemas['Deployment']; named?: boolean }) {
  const run = useQuery(runQuery(deployment.run)).data
  const destroyed = run?.plan?.changes.filter(({ actions }) => actions.includes('create')) ?? []
  return (
    <div className="rounded border border-line bg-sunken px-3 py-2">
      <p>
        {named ? (
          <span className="font-medium wrap-anywhere">{deployment.stack}</span>
        ) : (
          <>
            {t.itTakesBack}
            <code>{deployment.commit.slice(0, 10)}</code>
            {deployment.mr !== null && ` (!${deployment.mr})`}
          </>
        )}
        : <Summary summary={deployment.summary} />
      </p>
      {destroyed.length > 0 && (
        <>
          <p className="pt-1 font-medium text-bad">{t.itCreatedSoGoingBack}</p>
          <ul className="max-h-40 overflow-y-auto">
            {destroyed.slice(0, 50).map(({ address }) => (
              <li key={address}>
                <code className="wrap-anywhere">{address}</code>
              </li>
            ))}
            {destroyed.length > 50 && <li className="text-muted">{t.andMore2(destroyed.length - 50)}</li>}
          </ul>
        </>
      )}
      {!named && <p className="pt-1 text-sm text-muted">{t.thePlanOfTheRevert}</p>}
    </div>
  )
}
