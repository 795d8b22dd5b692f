import { useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { repositoriesQuery } from '../../api/queries.ts'
import { useRepository } from '../../app/navigation.tsx'
import { useMay } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
import { Empty, PageHead } from '../../ui/basics.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { Environments } from './environments.tsx'
import { Issuer } from './issuer.tsx'
import { Members } from './members.tsx'
import { People } from './people.tsx'
import { SignIn } from './sign-in.tsx'
import { Teams } from './teams.tsx'
import { Tokens } from './tokens.tsx'
import { Variables } from './variables.tsx'

const route = getRouteApi('/shell/settings')

export function SettingsPage() {
  const { tab = 'repository' } = route.useSearch()
  const named = useRepository()
  const navigate = route.useNavigate()
  const may = useMay()
  const repositories = useSuspenseQuery(repositoriesQuery).data
  const repository = repositories.find(({ name }) => name === named) ?? repositories[0]
  const ofRepository = tab === 'repository' || tab === 'variables' || tab === 'environments'
  return (
    <>
      <PageHead title={t.settings}>
        {ofRepository && repository && (
          <select
            aria-label={t.repositoryOfTheseSettings}
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
        label={t.settings}
        current={tab}
        tabs={[
          { id: 'repository', label: t.repositoryAndRoles },
          { id: 'environments', label: t.environmentsAndFreezes },
          { id: 'variables', label: t.variables },
          { id: 'tokens', label: t.yourTokensAndPassword },
          ...(may('user.list') ? [{ id: 'people', label: t.people }] : []),
          ...(may('team.list') ? [{ id: 'teams', label: t.teams }] : []),
          ...(may('login-provider.manage') ? [{ id: 'sign-in', label: t.signIn }] : []),
          ...(may('server.read') ? [{ id: 'identity', label: t.identityOfRuns }] : []),
        ]}
      />
      {ofRepository && !repository && <Empty title={t.noRepository}>{t.createOneFirstTheStart}</Empty>}
      {tab === 'repository' && repository && <Members repository={repository} />}
      {tab === 'environments' && repository && <Environments repository={repository} />}
      {tab === 'variables' && repository && <Variables repository={repository} />}
      {tab === 'tokens' && <Tokens />}
      {tab === 'people' && <People />}
      {tab === 'teams' && <Teams />}
      {tab === 'sign-in' && <SignIn />}
      {tab === 'identity' && <Issuer />}
    </>
  )
}
