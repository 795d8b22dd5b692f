import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import {
  Activity,
  ChartNoAxesColumn,
  Command,
  Ellipsis,
  GitPullRequest,
  LayoutGrid,
  ListChecks,
  type LucideIcon,
  MapPin,
  Network,
  ScrollText,
  Server,
  Settings,
} from 'lucide-react'
import { lazy } from 'react'
import { useConnection } from '../api/live.ts'
import { repositoriesQuery } from '../api/queries.ts'
import { t } from '../strings/frame.ts'
import { LazyMenu } from '../ui/lazy-menu.tsx'
import { AccountMenu } from './account-menu.tsx'
import { useMay } from './session.tsx'

const OF_REPOSITORY = [
  ['/r/$repository', t.overview, LayoutGrid],
  ['/r/$repository/mr', t.mergeRequests, GitPullRequest],
  ['/r/$repository/runs', t.runs, ListChecks],
  ['/r/$repository/drift', t.drift, Activity],
  ['/r/$repository/deployments', t.deployments, ChartNoAxesColumn],
  ['/r/$repository/dependencies', t.dependencies, Network],
  ['/r/$repository/places', t.places, MapPin],
] as const

const OF_ALL = [
  ['/workers', t.workers, Server],
  ['/audit', t.audit, ScrollText],
  ['/settings', t.settings, Settings],
] as const
/** So many pages of a repository have a place of their own in a phone's bar. */
const ON_PHONES = 4
const loadPages = () => import('./pages-menu.tsx')
const PagesMenu = lazy(() => loadPages().then(({ PagesMenu: its }) => ({ default: its })))

/** The repository of the page, else the one that was looked at last: Settings does not take the way back away. */
let lastRepository: string | undefined

export function useRepository(): string | undefined {
  const { data = [] } = useQuery(repositoriesQuery)
  const params = useParams({ strict: false })
  const searched = useSearch({ strict: false, select: (search) => search.repository })
  const repository = params.repository ?? searched
  if (repository) lastRepository = repository
  return repository ?? data.find(({ name }) => name === lastRepository)?.name ?? data[0]?.name
}

export function SideBar({
  onPalette,
  onHelp,
  fetchWindows,
}: {
  onPalette: () => void
  onHelp: () => void
  /** Hears that somebody is about to open one. */
  fetchWindows: () => void
}) {
  const repository = useRepository()
  const may = useMay()
  return (
    <nav aria-label={t.main} className="flex flex-col gap-px overflow-y-auto border-r border-line bg-sunken p-2">
      <Link to="/" className="mb-1 flex items-center gap-2 px-2 py-1.5 text-lg font-semibold tracking-tight">
        <Level />
        {t.trueup}
      </Link>
      <RepositorySwitch />
      {repository &&
        OF_REPOSITORY.map(([to, label, icon]) => (
          <NavItem key={to} to={to} label={label} icon={icon} repository={repository} />
        ))}
      <div className="my-2 border-t border-line" />
      {OF_ALL.filter(([to]) => to !== '/audit' || may('audit.read')).map(([to, label, icon]) => (
        <NavItem key={to} to={to} label={label} icon={icon} />
      ))}
      <div className="mt-auto flex flex-col gap-px pt-2">
        <button
          type="button"
          onPointerEnter={fetchWindows}
          onClick={onPalette}
          className="flex items-center gap-2 rounded px-2 py-1 text-muted hover:bg-hover hover:text-ink"
        >
          <Command size={15} aria-hidden />
          {t.goToDo}
          <kbd className="ml-auto text-xs text-muted">Ctrl K</kbd>
        </button>
        <LiveSign />
        <AccountMenu onHelp={onHelp} />
      </div>
    </nav>
  )
}

/** What a thumb reaches: the pages that one approves, heals and rolls back from, and a menu of the others. */
export function PhoneBar() {
  const repository = useRepository()
  const may = useMay()
  const others = OF_ALL.filter(([to]) => to !== '/audit' || may('audit.read'))
  return (
    <nav aria-label={t.main} className="flex justify-around border-t border-line bg-sunken p-1">
      {repository ? (
        <>
          {OF_REPOSITORY.slice(0, ON_PHONES).map(([to, label, icon]) => (
            <NavItem key={to} to={to} label={label} icon={icon} repository={repository} />
          ))}
          <LazyMenu
            load={loadPages}
            className="flex grow basis-0 flex-col items-center rounded px-1 py-1 text-xs text-muted hover:bg-hover"
            menu={(trigger) => (
              <PagesMenu
                trigger={trigger}
                repository={repository}
                pages={[...OF_REPOSITORY.slice(ON_PHONES), ...others]}
              />
            )}
          >
            <Ellipsis size={15} aria-hidden />
            {t.more}
          </LazyMenu>
        </>
      ) : (
        others.map(([to, label, icon]) => <NavItem key={to} to={to} label={label} icon={icon} />)
      )}
    </nav>
  )
}

function NavItem({
  to,
  label,
  icon: Icon,
  repository,
}: {
  to: (typeof OF_REPOSITORY | typeof OF_ALL)[number][0]
  label: string
  icon: LucideIcon
  repository?: string
}) {
  return (
    <Link
      to={to}
      params={repository ? { repository } : {}}
      activeOptions={{ exact: to === '/r/$repository', includeSearch: false }}
      className="flex shrink-0 items-center gap-2 rounded px-2 py-1 text-muted hover:bg-hover hover:text-ink max-md:grow max-md:basis-0 max-md:flex-col max-md:gap-0 max-md:px-1 max-md:text-center max-md:text-xs"
      activeProps={{ className: 'bg-accent-soft font-medium text-accent!', 'aria-current': 'page' }}
    >
      <Icon size={15} aria-hidden />
      {/* The long one would take two lines of a phone's bar. */}
      {label === 'Merge requests' ? (
        <>
          <span className="max-md:sr-only">{label}</span>
          <span aria-hidden className="md:hidden">
            {t.requests}
          </span>
        </>
      ) : (
        label
      )}
    </Link>
  )
}

export function RepositorySwitch() {
  const { data = [] } = useQuery(repositoriesQuery)
  const repository = useRepository()
  const navigate = useNavigate()
  if (data.length === 0) return null
  return (
    <select
      aria-label={t.repository}
      value={repository ?? ''}
      onChange={(event) => void navigate({ to: '/r/$repository', params: { repository: event.target.value } })}
      className="mb-1 w-full shrink-0 font-medium max-md:mb-0 max-md:w-36"
    >
      {data.map(({ name, damage }) => (
        <option key={name} value={name}>
          {damage === null ? name : t.damagedRepository(name)}
        </option>
      ))}
    </select>
  )
}

const LIVE = {
  live: ['bg-ok', t.live, t.changesAppearHereAsThey],
  connecting: ['border border-idle', t.connecting, t.theStreamOfChangesIs],
  lost: ['bg-warn', t.reconnecting, t.theStreamOfChangesBroke],
} as const

export function LiveSign() {
  const [dot, word, meaning] = LIVE[useConnection()]
  return (
    <p role="status" title={meaning} className="flex items-center gap-2 px-2 py-1 text-sm text-muted">
      <span className={`mx-1 size-2 rounded-full ${dot}`} aria-hidden />
      {/* On a phone the sign alone, so that nothing moves beside it. */}
      <span className="max-md:sr-only">{word}</span>
    </p>
  )
}

/** A spirit level: what the product is named after. */
export function Level() {
  return (
    <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden className="text-accent">
      <rect x="2" y="11" width="28" height="10" rx="5" fill="none" stroke="currentColor" strokeWidth="2.5" />
      <circle cx="16" cy="16" r="3.6" fill="currentColor" />
      <path d="M10.5 12v8M21.5 12v8" stroke="currentColor" strokeWidth="2" />
    </svg>
  )
}
