import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { ApiError, type Schemas } from '../../api/client.ts'
import { environmentsQuery, mrQuery } from '../../api/queries.ts'
import { t } from '../../strings/merge-requests.ts'
import { mrLook } from '../../text.ts'
import { CommandLine, PageHead } from '../../ui/basics.tsx'
import { ErrorNote, Loaded, Waiting } from '../../ui/load.tsx'
import { State } from '../../ui/status.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { Time } from '../../ui/time.tsx'
import { EnvironmentNotices } from '../environment-notices.tsx'
import { Quarantined } from '../quarantined.tsx'
import { MrActs } from './acts.tsx'
import { Aftermath } from './aftermath.tsx'
import { changesSince, type Seen, seenOf } from './bound.ts'
import { Commits } from './commits.tsx'
import { Conversation } from './conversation.tsx'
import { Gate } from './gate.tsx'
import { Named } from './lift.tsx'
import { OwnCommits } from './own-commits.ts'
import { Plans } from './plans.tsx'

const Files = lazy(() => import('./files.tsx').then(({ Files: component }) => ({ default: component })))
const route = getRouteApi('/shell/r/$repository/mr/$number')

export function MrPage() {
  const { repository, number } = route.useParams()
  const query = useQuery(mrQuery(repository, Number(number)))
  // Notices come with it: what is below them would move if they came later.
  if (!useQuery(environmentsQuery(repository)).isFetched) return <Waiting />
  return (
    <Loaded page query={query}>
      {(mr) => <MrView key={mr.id} repository={repository} mr={mr} />}
    </Loaded>
  )
}

function MrView({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const { tab = 'plans' } = route.useSearch()
  // What this person has had on the screen. A push or a new plan does not change it by itself: an approval is of this.
  const [seen, setSeen] = useState<Seen>(() => seenOf(mr))
  const [own, setOwn] = useState<readonly string[]>([])
  const isSettled = mr.planned && !seen.planned && seen.head === mr.head
  const settled = isSettled || (seen.head !== mr.head && own.includes(mr.head)) ? seenOf(mr) : seen
  if (settled !== seen) setSeen(settled)
  const changes = mr.state === 'open' ? changesSince(settled, mr) : []
  return (
    <OwnCommits value={(commit) => setOwn((before) => [...before, commit])}>
      <PageHead
        name={`!${mr.number} ${mr.title}`}
        title={
          <>
            <span className="text-muted">!{mr.number}</span> {mr.title}
          </>
        }
        lead={
          <span className="flex flex-wrap items-center gap-x-2">
            <State look={mrLook(mr.state)} soft />
            {mr.draft && <span className="font-medium">{t.draft}</span>}
            <span>
              {mr.author} {mr.state === 'merged' ? t.brought : t.wantsToMerge}{' '}
              <code className="wrap-anywhere">{mr.sourceBranch}</code>
              {t.into}
              <code>{mr.targetBranch}</code>
            </span>
            <Time at={mr.createdAt} />
          </span>
        }
      >
        <CommandLine line={`trueup mr show ${mr.number} --repo ${repository}`} />
      </PageHead>
      {changes.length > 0 && <Changed changes={changes} onLook={() => setSeen(seenOf(mr))} />}
      {mr.problems.map((body, at) => (
        <div key={at} className="mb-2">
          <ErrorNote error={new ApiError(0, body)} />
        </div>
      ))}
      {mr.conflicts.length > 0 && (
        <div role="alert" className="mb-3 rounded border border-bad/40 bg-bad-soft px-3 py-2">
          <p className="font-medium">{t.itConflictsWithIn(mr.targetBranch)}</p>
          <ul>
            {mr.conflicts.map((path) => (
              <li key={path}>
                <code className="wrap-anywhere">{path}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
      {mr.state !== 'closed' && <EnvironmentNotices repository={repository} environments={environmentsOf(mr)} />}
      <Quarantined repository={repository} entries={mr.quarantine} named />
      <div
        className={`grid gap-4 max-lg:grid-cols-1 ${tab === 'files' ? 'grid-cols-1' : 'grid-cols-[minmax(0,1fr)_320px]'}`}
      >
        <div className="min-w-0">
          <Tabs
            label={t.viewsOfTheMergeRequest}
            current={tab}
            tabs={[
              { id: 'plans', label: t.plansCount(mr.stacks.length) },
              { id: 'conversation', label: t.conversation },
              { id: 'files', label: t.files },
              { id: 'commits', label: t.commits },
            ]}
          />
          {tab === 'plans' && <Plans repository={repository} mr={mr} />}
          {tab === 'conversation' && <Conversation repository={repository} mr={mr} />}
          {tab === 'commits' && <Commits repository={repository} mr={mr} />}
          {tab === 'files' && (
            <Suspense fallback={<Waiting lines={10} />}>
              <Files repository={repository} mr={mr} />
            </Suspense>
          )}
        </div>
        <aside
          className={`flex flex-col gap-3 max-lg:order-first ${tab === 'files' ? 'order-first' : ''}`}
          aria-label={t.gate}
        >
          {mr.state === 'open' || mr.state === 'merging' ? (
            <>
              <MrActs repository={repository} mr={mr} seen={settled} changes={changes} />
              {/* Two columns of code need the width; what is missing stands on the other tabs. */}
              {tab !== 'files' && <Gate mr={mr} />}
              {tab !== 'files' && mr.state === 'open' && <Named repository={repository} mr={mr} />}
            </>
          ) : (
            tab !== 'files' && <Aftermath repository={repository} mr={mr} />
          )}
        </aside>
      </div>
    </OwnCommits>
  )
}

/** Those of the stacks that it would change. */
const environmentsOf = ({ stacks }: Schemas['MergeRequest']): string[] => [
  ...new Set(stacks.map(({ stack }) => stack.slice(0, stack.indexOf('/')))),
]

/** Something moved while this person was reading: what, before they say yes to it. */
function Changed({ changes, onLook }: { changes: readonly string[]; onLook: () => void }) {
  return (
    <div role="status" className="mb-3 flex items-start gap-3 rounded border border-hold/40 bg-hold-soft px-3 py-2">
      <div className="grow">
        <p className="font-medium">{t.thisChangedWhileYouWere}</p>
        <ul className="text-muted">
          {changes.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      </div>
      <button
        type="button"
        onClick={onLook}
        className="rounded border border-strong-line bg-panel px-2.5 py-0.5 font-medium hover:bg-hover"
      >
        {t.showMeWhatIsThere}
      </button>
    </div>
  )
}
