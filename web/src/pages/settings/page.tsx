import { useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { repositoriesQuery } from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { Empty, PageHead } from '../../ui/basics.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { Environments } from './environments.tsx'
import { Members } from './members.tsx'
import { People } from './people.tsx'
import { Teams } from './teams.tsx'
import { Tokens } from './tokens.tsx'
import { Variables } from './variables.tsx'

const route = getRouteApi('/shell/settings')

export function SettingsPage() {
  const { tab = 'repository', repository: named } = route.useSearch()
  const navigate = route.useNavigate()
  const may = useMay()
  const repositories = useSuspenseQuery(repositoriesQuery).data
  const repository = repositories.find(({ name }) => name === named) ?? repositories[0]
  const ofRepository = tab === 'repository' || tab === 'variables' || tab === 'environments'
  return (
    <>
      <PageHead title="Settings">
        {ofRepository && repository && (
          <select
            aria-label="Repository of these settings"
            value={repository.name}
            onChange={(event) =>
              void navigate({ search: (before) => ({ ...before, repository: event.target.value }), replace: true })
            }
          >
            {repositories.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </PageHead>
      <Tabs
        label="Settings"
        current={tab}
        tabs={[
          { id: 'repository', label: 'Repository and roles' },
          { id: 'environments', label: 'Environments and freezes' },
          { id: 'variables', label: 'Variables' },
          { id: 'tokens', label: 'Your tokens and password' },
          ...(may('user.list') ? [{ id: 'people', label: 'People' }] : []),
          ...(may('team.list') ? [{ id: 'teams', label: 'Teams' }] : []),
        ]}
      />
      {ofRepository && !repository && (
        <Empty title="No repository">Create one first: the start page leads through it.</Empty>
      )}
      {tab === 'repository' && repository && <Members repository={repository} />}
      {tab === 'environments' && repository && <Environments repository={repository} />}
      {tab === 'variables' && repository && <Variables repository={repository} />}
      {tab === 'tokens' && <Tokens />}
      {tab === 'people' && <People />}
      {tab === 'teams' && <Teams />}
    </>
  )
}
