import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useParams } from '@tanstack/react-router'
import {
  Activity,
  ChartNoAxesColumn,
  Command,
  GitPullRequest,
  LayoutGrid,
  ListChecks,
  type LucideIcon,
  Network,
  ScrollText,
  Server,
  Settings,
} from 'lucide-react'
import { useEffect, useState } from 'react'
import { followChanges, useConnection } from '../api/live.ts'
import { repositoriesQuery } from '../api/queries.ts'
import { Notices } from '../ui/notice.tsx'
import { AccountMenu } from './account-menu.tsx'
import { useKeys } from './keys.ts'
import { Palette } from './palette.tsx'
import { useMay } from './session.tsx'
import { KeyHelp } from './key-help.tsx'

const OF_REPOSITORY = [
  ['/r/$repository', 'Overview', LayoutGrid],
  ['/r/$repository/mr', 'Merge requests', GitPullRequest],
  ['/r/$repository/runs', 'Runs', ListChecks],
  ['/r/$repository/drift', 'Drift', Activity],
  ['/r/$repository/deployments', 'Deployments', ChartNoAxesColumn],
  ['/r/$repository/dependencies', 'Dependencies', Network],
] as const

/** Frame of every page: where one is, what there is, whether it is live. */
export function Shell() {
  const client = useQueryClient()
  const { repository } = useParams({ strict: false })
  const may = useMay()
  const [palette, setPalette] = useState(false)
  const [help, setHelp] = useState(false)
  useEffect(() => followChanges(client), [client])
  useKeys({ palette: () => setPalette(true), help: () => setHelp(true) })
  return (
    <div className="grid h-full grid-cols-[200px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] max-md:grid-cols-1 max-md:grid-rows-[minmax(0,1fr)_auto]">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:bg-panel focus:p-2"
      >
        Skip to the page
      </a>
      <nav
        aria-label="Main"
        className="flex flex-col gap-px border-r border-line bg-sunken p-2 max-md:order-2 max-md:flex-row max-md:overflow-x-auto max-md:border-r-0 max-md:border-t max-md:p-1"
      >
        <Link
          to="/"
          className="mb-1 flex items-center gap-2 px-2 py-1.5 text-lg font-semibold tracking-tight max-md:hidden"
        >
          <Level />
          Trueup
        </Link>
        <RepositorySwitch />
        {repository &&
          OF_REPOSITORY.map(([to, label, icon]) => (
            <NavItem key={to} to={to} label={label} icon={icon} repository={repository} />
          ))}
        <div className="my-2 border-t border-line max-md:hidden" />
        <NavItem to="/workers" label="Workers" icon={Server} />
        {may('audit.read') && <NavItem to="/audit" label="Audit" icon={ScrollText} />}
        <NavItem to="/settings" label="Settings" icon={Settings} />
        <div className="mt-auto flex flex-col gap-px max-md:hidden">
          <button
            type="button"
            onClick={() => setPalette(true)}
            className="flex items-center gap-2 rounded px-2 py-1 text-muted hover:bg-hover hover:text-ink"
          >
            <Command size={15} aria-hidden />
            Go to, do
            <kbd className="ml-auto text-xs text-faint">Ctrl K</kbd>
          </button>
          <LiveSign />
          <AccountMenu onHelp={() => setHelp(true)} />
        </div>
      </nav>
      <main id="main" tabIndex={-1} className="overflow-y-auto px-5 py-4 outline-none max-md:px-3">
        <div className="mx-auto max-w-[1440px]">
          <Outlet />
        </div>
      </main>
      <Palette open={palette} onOpenChange={setPalette} onHelp={() => setHelp(true)} />
      <KeyHelp open={help} onOpenChange={setHelp} />
      <Notices />
    </div>
  )
}

function NavItem({
  to,
  label,
  icon: Icon,
  repository,
}: {
  to: (typeof OF_REPOSITORY)[number][0] | '/workers' | '/audit' | '/settings'
  label: string
  icon: LucideIcon
  repository?: string
}) {
  return (
    <Link
      to={to}
      params={repository ? { repository } : {}}
      activeOptions={{ exact: to === '/r/$repository', includeSearch: false }}
      className="flex shrink-0 items-center gap-2 rounded px-2 py-1 text-muted hover:bg-hover hover:text-ink max-md:flex-col max-md:gap-0 max-md:text-xs"
      activeProps={{ className: 'bg-hover font-medium text-ink!', 'aria-current': 'page' }}
    >
      <Icon size={15} aria-hidden />
      {label}
    </Link>
  )
}

function RepositorySwitch() {
  const { data = [] } = useQuery(repositoriesQuery)
  const { repository } = useParams({ strict: false })
  const navigate = useNavigate()
  if (data.length === 0) return null
  return (
    <select
      aria-label="Repository"
      value={repository ?? ''}
      onChange={(event) => void navigate({ to: '/r/$repository', params: { repository: event.target.value } })}
      className="mb-1 w-full shrink-0 font-medium max-md:w-28"
    >
      {!repository && <option value="">Choose a repository</option>}
      {data.map(({ name }) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  )
}

const LIVE = {
  live: ['bg-ok', 'Live', 'Changes appear here as they happen'],
  connecting: ['border border-idle', 'Connecting', 'The stream of changes is being opened'],
  lost: ['bg-warn', 'Reconnecting', 'The stream of changes broke; what you see may be old'],
} as const

function LiveSign() {
  const [dot, word, meaning] = LIVE[useConnection()]
  return (
    <p role="status" title={meaning} className="flex items-center gap-2 px-2 py-1 text-sm text-muted">
      <span className={`mx-1 size-2 rounded-full ${dot}`} aria-hidden />
      {word}
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
