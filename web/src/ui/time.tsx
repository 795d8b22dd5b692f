import { useSyncExternalStore } from 'react'
import { t } from '../strings/parts.ts'

let now = Date.now()
const watchers = new Set<() => void>()
let timer: number | undefined

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  timer ??= window.setInterval(() => {
    now = Date.now()
    for (const each of watchers) each()
  }, 10_000)
  return () => {
    watchers.delete(watcher)
    if (watchers.size > 0) return
    window.clearInterval(timer)
    timer = undefined
  }
}

/** The time now, to ten seconds: one clock for the whole page. */
export const useNow = (): number => useSyncExternalStore(watch, () => now)

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** A length of time in its largest unit, two below a day: `3 d`, `2 h 5 min`, `840 ms`. */
export function duration(ms: number): string {
  if (ms < 1_000) return t.mathMs(Math.max(0, Math.round(ms)))
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  const at = UNITS.findIndex(([, size]) => ms >= size)
  const [unit, size] = UNITS[at]!
  const whole = Math.floor(ms / size)
  const below = UNITS[at + 1]
  const rest = below && at > 0 ? Math.floor((ms % size) / below[1]) : 0
  return `${whole} ${unit}${rest > 0 && below ? ` ${rest} ${below[0]}` : ''}`
}

export function ago(at: number, from: number): string {
  const past = from - at
  if (Math.abs(past) < 10_000) return t.justNow
  return past > 0 ? t.shortAgo(short(past)) : t.inShort(short(-past))
}

function short(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms >= length) ?? ['s', 1_000]
  return `${Math.floor(ms / size)} ${unit}`
}

/** Made once: making one takes longer than a whole row of a table. */
const ABSOLUTE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })

export const absolute = (at: number): string => ABSOLUTE.format(at)

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

/** The time of day to the millisecond, for what follows closely on one another. */
export const clockTime = (at: number): string => CLOCK.format(at)

/** Relative, with the absolute time on hover. */
export function Time({ at, none = 'never' }: { at: number | null | undefined; none?: string }) {
  const from = useNow()
  if (at === null || at === undefined) return <span className="text-faint">{none}</span>
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at)} className="whitespace-nowrap">
      {ago(at, Math.max(from, Date.now() - 10_000))}
    </time>
  )
}
