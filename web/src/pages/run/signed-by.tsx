import { useQuery } from '@tanstack/react-query'
import { api, ask } from '../../api/client.ts'
import { t } from '../../strings/runs.ts'

/** Who signed the commit that is deployed, and what its environment says to that. */
export function SignedBy({
  repository,
  commit,
  environment,
}: {
  repository: string
  commit: string
  environment: string
}) {
  const params = { path: { repository, commit } }
  const { data } = useQuery({
    queryKey: ['signature', repository, commit],
    queryFn: () => ask(api.GET('/api/v1/repositories/{repository}/commits/{commit}/signature', { params })),
    staleTime: 60_000,
  })
  if (!data) return <span className="text-muted">…</span>
  const rules = data.environments.find(({ name }) => name === environment)
  if (rules) return <span className="wrap-anywhere">{rules.why}</span>
  return (
    <span className="wrap-anywhere">{data.signature === 'none' ? t.notSigned : t.signedByKey(data.key ?? '')}</span>
  )
}
