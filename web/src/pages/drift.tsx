import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Schemas } from '../api/client.ts'
import { driftQuery } from '../api/queries.ts'
import { GROUPS } from '../search.ts'
import { t } from '../strings/drift.ts'
import { driftLook } from '../text.ts'
import { Empty, PageHead, Panel } from '../ui/basics.tsx'
import { Pages } from '../ui/more.tsx'
import { valueText } from '../ui/plan.tsx'
import { Time } from '../ui/time.tsx'
import { DriftTable } from './stack/drift.tsx'
import { HealMany } from './heal-many.tsx'

type Record = Schemas['DriftRecord']
const route = getRouteApi('/shell/r/$repository/drift')
const GROUP_LABEL = {
  cause: t.sameChange,
  attribute: t.attribute,
  stack: t.stack,
  environment: t.environment,
  age: t.age,
  flapping: t.whetherItComesBack,
} as const
const HOUR_MS = 3_600_000
const AGES = [
  [HOUR_MS, t.sinceAnHour],
  [24 * HOUR_MS, t.sinceADay],
  [7 * 24 * HOUR_MS, t.sinceAWeek],
] as const
const STATES = ['open', 'healed', 'codified', 'accepted', 'gone', 'all'] as const

/** Drift over all stacks, the same change in many places as one. */
export function DriftPage() {
  const { repository } = route.useParams()
  const { state = 'open', environment, group = 'cause' } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useInfiniteQuery(driftQuery(repository, { state, ...(environment && { environment }) }))
  const set = (change: { [name: string]: string | undefined }): void =>
    void navigate({ search: (before) => ({ ...before, ...change }) as never, replace: true })
  return (
    <>
      <PageHead title={t.drift} lead={t.whatHasLeftWhatWas}>
        <select
          aria-label={t.groupBy}
          value={group}
          onChange={(event) => set({ group: event.target.value === 'cause' ? undefined : event.target.value })}
        >
          {GROUPS.map((each) => (
            <option key={each} value={each}>
              {t.byGroup(GROUP_LABEL[each].toLowerCase())}
            </option>
          ))}
        </select>
        <select
          aria-label={t.state}
          value={state}
          onChange={(event) => set({ state: event.target.value === 'open' ? undefined : event.target.value })}
        >
          {STATES.map((each) => (
            <option key={each} value={each}>
              {each === 'all' ? t.everyState : driftLook(each).label}
            </option>
          ))}
        </select>
      </PageHead>
      <Pages
        query={query}
        empty={
          <Panel>
            <Empty title={state === 'open' ? t.nothingHasDrifted : t.noneInThisState}>{t.eachStackIsCheckedAt}</Empty>
          </Panel>
        }
      >
        {(records) => (
          <div className="flex flex-col gap-3">
            {grouped(records, group).map(([title, its]) => (
              <Group key={title} repository={repository} title={title} records={its} />
            ))}
          </div>
        )}
      </Pages>
    </>
  )
}

/** What records of one group have in common, in words. */
const KEYS: { [by in (typeof GROUPS)[number]]: (record: Record) => string } = {
  cause: (record) => `${record.address} ${record.attribute}: ${change(record)}`,
  attribute: ({ attribute }) => attribute || t.theWholeResource,
  stack: ({ stack }) => stack,
  environment: ({ stack }) => stack.slice(0, stack.indexOf('/')),
  age: ({ since }) => AGES.find(([most]) => Date.now() - since < most)?.[1] ?? t.sinceLonger,
  flapping: ({ healCount }) => (healCount > 1 ? t.comesBack : t.doesNotComeBack),
}

/** Groups, the one with most stacks first, then the oldest. */
function grouped(records: readonly Record[], by: (typeof GROUPS)[number]): [string, Record[]][] {
  const since = (its: readonly Record[]): number => Math.min(...its.map((record) => record.since))
  return [...Map.groupBy(records, KEYS[by])].sort(([, a], [, b]) => b.length - a.length || since(a) - since(b))
}

/** The change in a line. Values that fill more are below, as their lines. */
function change({ expected, actual }: Record): string {
  const [before, after] = [valueText(expected, false) ?? t.nothing, valueText(actual, false) ?? t.nothing]
  const long = [before, after].some((text) => text.length > 60 || text.includes('\n'))
  return long ? t.otherText : t.beforeBecameAfter(before, after)
}

function Group({ repository, title, records }: { repository: string; title: string; records: readonly Record[] }) {
  const [open, setOpen] = useState(records.length <= 10)
  const stacks = [...new Set(records.map(({ stack }) => stack))]
  const since = Math.min(...records.map((record) => record.since))
  return (
    <section aria-label={title} className="overflow-hidden rounded-lg border border-line bg-panel">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1.5">
        <button
          type="button"
          data-row=""
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="min-w-0 text-left font-medium wrap-anywhere hover:underline"
        >
          {title}
        </button>
        <span className="ml-auto flex items-center gap-3 text-sm text-muted">
          {t.countWordsSince(stacks.length, stacks.length === 1 ? t.stack2 : t.stacks)}
          <Time at={since} />
          <HealMany repository={repository} stacks={stacks} />
        </span>
      </header>
      <p className="flex flex-wrap gap-x-3 px-3 py-1">
        {stacks.slice(0, 12).map((stack) => (
          <Link
            key={stack}
            to="/r/$repository/stacks/$"
            params={{ repository, _splat: stack }}
            className="text-accent hover:underline"
          >
            {stack}
          </Link>
        ))}
        {stacks.length > 12 && <span className="text-muted">{t.andMore(stacks.length - 12)}</span>}
      </p>
      {open && <DriftTable repository={repository} records={records} />}
    </section>
  )
}
