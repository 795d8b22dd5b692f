import { useQuery } from '@tanstack/react-query'
import { api, ask, type Schemas } from '../../api/client.ts'
import { Panel } from '../../ui/basics.tsx'

/** Addresses in the state that the server keeps for the stack, where it keeps one; never their values. */
export function Resources({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const key = `${stack.environment}/${stack.name}`
  const { data } = useQuery({
    queryKey: ['stack', repository, key, 'objects'],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/state/objects', {
          params: { path: { repository }, query: { stack: key } },
        }),
      ),
    enabled: stack.driver === 'terraform',
    retry: false,
  })
  const addresses = data?.objects.map(({ address }) => address) ?? []
  if (addresses.length === 0) return null
  const drifted = new Set(stack.recentDrift.filter(({ state }) => state === 'open').map(({ address }) => address))
  return (
    <Panel title={`Resources: ${addresses.length}`} flush>
      <ul className="max-h-80 divide-y divide-line overflow-y-auto" tabIndex={0} aria-label="Resources">
        {addresses.map((address) => (
          <li key={address} className="px-3 py-1">
            <code className="wrap-anywhere">{address}</code>
            {drifted.has(address) && <span className="ml-2 text-warn">drifted</span>}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
