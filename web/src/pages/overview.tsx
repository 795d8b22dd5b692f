import { useInfiniteQuery, useQuery, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Search as Glass } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { Schemas } from '../api/client.ts'
import { environmentsQuery, matrixQuery, overviewQuery, repositoriesQuery } from '../api/queries.ts'
import { useView } from '../app/view.ts'
import { t } from '../strings/overview.ts'
import { stateLook, STATES } from '../text.ts'
import { ButtonLink, Empty, PageHead } from '../ui/basics.tsx'
import { PageErrorNote, Waiting } from '../ui/load.tsx'
import { Mark } from '../ui/status.tsx'
import { EnvironmentNotices } from './environment-notices.tsx'
import { Matrix } from './matrix.tsx'
import { NeedsYou } from './needs-you.tsx'

const route = getRouteApi('/shell/r/$repository')
/** Who types on is not asked for after every letter. */
const TYPED_MS = 120
type StackState = (typeof STATES)[number]
const TIERS = ['development', 'staging', 'production']

/** Environments × stacks: what is in which state, what needs a person first. */
export function OverviewPage() {
  const { repository } = route.useParams()
  const navigate = route.useNavigate()
  const [filter, set] = useView(route.useSearch(), (search) => void navigate({ search, replace: true }))
  const overview = useQuery(overviewQuery(repository))
  const environments = useQuery(environmentsQuery(repository))
  const matrix = useInfiniteQuery(matrixQuery(repository, { ...filter, sort: filter.sort ?? 'need' }))

  const columns = useColumns(overview.data, environments.data, filter.environment)
  const counts = useMemo(() => totals(overview.data), [overview.data])
  const states = useStates(counts, filter.state)

  if (overview.error && !overview.data)
    return <PageErrorNote error={overview.error} again={() => void overview.refetch()} />
  // Notices stand above the list: what is below them would move if they came later.
  if (!overview.data || !environments.isFetched) return <Waiting lines={8} />
  const names = overview.data.environments.map(({ name }) => name)
  return (
    <div className="flex h-[calc(100dvh-32px)] min-h-[520px] flex-col max-md:h-[calc(100dvh-76px)]">
      <PageHead
        title={repository}
        lead={t.stacksWordsInCountWords(
          overview.data.stacks.toLocaleString(),
          overview.data.stacks === 1 ? t.stack2 : t.stacks,
          names.length,
          names.length === 1 ? t.environment : t.environments,
        )}
      >
        <ButtonLink to="/r/$repository/dependencies" params={{ repository }}>
          {t.asAGraph}
        </ButtonLink>
      </PageHead>
      <NeedsYou repository={repository} />
      <EnvironmentNotices key={repository} repository={repository} />
      <div className="flex shrink-0 flex-wrap items-center gap-2 pb-2">
        <Search text={filter.q ?? ''} set={(q) => set({ q: q || undefined })} />
        <select
          aria-label={t.environment2}
          value={filter.environment ?? ''}
          onChange={(event) => set({ environment: event.target.value || undefined })}
        >
          <option value="">{t.everyEnvironment}</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <select
          aria-label={t.order}
          value={filter.sort ?? 'need'}
          onChange={(event) => set({ sort: event.target.value === 'name' ? 'name' : undefined })}
        >
          <option value="need">{t.whatNeedsSomeoneFirst}</option>
          <option value="name">{t.byFolderAndName}</option>
        </select>
        <div
          role="group"
          aria-label={t.state}
          className="flex min-w-0 grow basis-80 gap-1 overflow-x-auto max-md:basis-full"
        >
          {states.map((state) => (
            <button
              key={state}
              type="button"
              aria-pressed={filter.state === state}
              title={stateLook(state).meaning}
              onClick={() => set({ state: filter.state === state ? undefined : state })}
              className="flex h-7 shrink-0 items-center gap-1.5 rounded border border-line bg-panel px-2 hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft"
            >
              <Mark look={stateLook(state)} size={13} />
              {stateLook(state).label}
              <span className="min-w-[2ch] text-left text-muted tabular-nums">
                {(counts.get(state) ?? 0).toLocaleString()}
              </span>
            </button>
          ))}
        </div>
      </div>
      {overview.data.stacks === 0 ? (
        <NoStacks repository={repository} />
      ) : (
        <Matrix repository={repository} columns={columns} query={matrix} folders={filter.sort === 'name'} />
      )}
    </div>
  )
}

/** Each letter draws this field and nothing else; what was typed is told when the typing rests. */
function Search({ text: told, set }: { text: string; set: (text: string) => void }) {
  const [text, setText] = useState(told)
  const tell = useRef(set)
  tell.current = set
  useEffect(() => {
    if (text === told) return
    const rest = window.setTimeout(() => tell.current(text), TYPED_MS)
    return () => window.clearTimeout(rest)
  }, [text, told])
  return (
    <label className="relative max-md:w-full">
      <span className="sr-only">{t.searchStacksByName}</span>
      <Glass size={14} className="absolute left-2 top-1/2 -translate-y-1/2 text-faint" aria-hidden />
      <input
        type="search"
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder={t.searchByName}
        className="w-64 pl-7! max-md:w-full"
      />
    </label>
  )
}

/** The environments that are shown, development first and production last; the same array as long as they are the same. */
function useColumns(
  overview: Schemas['Overview'] | undefined,
  environments: readonly Schemas['Environment'][] | undefined,
  only: string | undefined,
): readonly string[] {
  return useMemo(() => {
    const tier = new Map((environments ?? []).map((environment) => [environment.name, TIERS.indexOf(environment.tier)]))
    return (overview?.environments ?? [])
      .map(({ name }) => name)
      .filter((name) => only === undefined || name === only)
      .sort((a, b) => (tier.get(a) ?? 9) - (tier.get(b) ?? 9) || a.localeCompare(b))
  }, [overview, environments, only])
}

/**
 * Statuses that there are or were since the page was opened: what comes new stands behind the others and nothing goes away, so
 * that no button moves from under a pointer.
 */
function useStates(counts: ReadonlyMap<string, number>, chosen: StackState | undefined): readonly StackState[] {
  const seen = useRef<StackState[]>([])
  return useMemo(() => {
    const isThere = (state: StackState): boolean => (counts.get(state) ?? 0) > 0 || state === chosen
    const fresh = STATES.filter((state) => isThere(state) && !seen.current.includes(state))
    seen.current = [...seen.current, ...fresh]
    return seen.current
  }, [counts, chosen])
}

function totals(overview: Schemas['Overview'] | undefined): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { states } of overview?.environments ?? [])
    for (const { state, count } of states) counts.set(state, (counts.get(state) ?? 0) + count)
  return counts
}

function NoStacks({ repository }: { repository: string }) {
  const connection = useSuspenseQuery(repositoriesQuery).data.find(({ name }) => name === repository)?.connection
  return (
    <div className="rounded-lg border border-line bg-panel">
      <Empty title={t.noStacksYet}>
        {t.aStackIsADirectory}
        <code>trueup.yaml</code>
        {connection ? (
          <>
            {t.inAMergeRequestAt}
            <a href={connection.url} rel="noreferrer" target="_blank" className="text-accent hover:underline">
              {connection.url}
            </a>
          </>
        ) : (
          <>
            {t.onABranchPushIt}
            <code>git push -o mr origin HEAD</code>
          </>
        )}
        {t.andItsPlanAppearsUnder}
        <Link to="/r/$repository/mr" params={{ repository }} className="text-accent hover:underline">
          {t.mergeRequests}
        </Link>
        .
      </Empty>
    </div>
  )
}
