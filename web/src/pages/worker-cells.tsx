import { Link } from '@tanstack/react-router'
import type { Schemas } from '../api/client.ts'
import { t } from '../strings/server.ts'
import { KIND } from '../text.ts'
import { linkStyle } from '../ui/basics.tsx'
import { duration, Time } from '../ui/time.tsx'

type Worker = Schemas['Worker']

/** From here on a clock is told to be wrong, as by the command line. */
const CLOCK_WARN_MS = 5_000

/** The runs that a worker has, each a link. */
export function DoesNow({ runs, otherRuns }: Pick<Worker, 'runs' | 'otherRuns'>) {
  if (runs.length + otherRuns === 0) return <span className="text-faint">{t.nothingNow}</span>
  return (
    <ul>
      {runs.map(({ id, repository, stack, kind }) => (
        <li key={id}>
          <Link to="/r/$repository/runs/$run" params={{ repository, run: id }} className={linkStyle}>
            {KIND[kind]} {repository} {stack}
          </Link>
        </li>
      ))}
      {otherRuns > 0 && <li className="text-muted">{t.runsYouCannotSee(otherRuns)}</li>}
    </ul>
  )
}

export function ToolsFound({ tools }: Pick<Worker, 'tools'>) {
  if (tools === null) return <span className="text-faint">{t.doesNotSay}</span>
  const found = Object.entries(tools)
  if (found.length === 0) return <span className="text-muted">{t.noToolsFound}</span>
  return (
    <ul className="text-muted">
      {found.map(([name, version]) => (
        <li key={name}>
          {name} {version}
        </li>
      ))}
    </ul>
  )
}

/** Null where its clock is right, or not known. */
export function ClockOff({ clockSkewMs }: Pick<Worker, 'clockSkewMs'>) {
  if (clockSkewMs === null || Math.abs(clockSkewMs) < CLOCK_WARN_MS) return null
  const how = `${duration(Math.abs(clockSkewMs))} ${clockSkewMs > 0 ? t.ahead : t.behind}`
  return <p className="text-warn">{t.itsClockIsOff(how)}</p>
}

/** The pools of a worker, and what waits in each. */
export function PoolQueues({ pools, queues }: { pools: Worker['pools']; queues: readonly Schemas['Queue'][] }) {
  return (
    <ul>
      {pools.map((pool) => {
        const queue = queues.find((each) => each.pool === pool)
        return (
          <li key={pool}>
            {pool}
            {queue && queue.waiting > 0 && (
              <span className="text-hold">
                {' '}
                {t.runsWaitInPool(queue.waiting)}, {t.waitingSince} <Time at={queue.oldestAt} />
              </span>
            )}
          </li>
        )
      })}
    </ul>
  )
}
