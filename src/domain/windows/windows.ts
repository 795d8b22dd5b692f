import type { Zone } from 'luxon'
import type { WindowConfig } from './config.ts'
import { MINUTES_PER_DAY, parseWindow, type WeeklySpan } from './syntax.ts'
import { DAY, minuteOfWeekAt, momentOf, momentsOf, offsetChange, showTime, wallTimeAt, zoneOf } from './zone-time.ts'

export { parseWindow } from './syntax.ts'

export interface Freeze {
  reason: string
  /** Milliseconds since the epoch; null = until someone lifts it. */
  until: number | null
}

export interface WindowState {
  open: boolean
  /** Why it is closed, in words; null when open. */
  reason: string | null
  /** First moment at which `open` differs (ms); null when it never changes by itself. */
  nextChangeAt: number | null
}

/** One window in the form in which a moment is tested. Absolute ones are two moments, `from` up to but without `to`. */
type Rule = { effect: 'allow' | 'deny'; label: string; zone: Zone } & (
  | { kind: 'weekly'; spans: WeeklySpan[] }
  | { kind: 'absolute'; from: number; to: number }
)

/**
 * A week's pattern that has not changed the answer for this long never does: one week, another because the hour (or the
 * day, as in Samoa in 2011) that a window names may be skipped once, and one to spare.
 */
const PATTERN_DAYS = 22

/**
 * Whether changes may be deployed at a moment. Without windows and freezes always; with `allow` windows only inside one of
 * them; inside a `deny` window never; during a freeze never.
 *
 * A weekly window means what the clock on the wall shows: `02:00 - 03:00` does not occur on the day when that hour is
 * skipped, and occurs twice when it is repeated. An absolute window runs from the first to the last time that the clock
 * shows its ends. Throws CONFIG_INVALID for a window or zone that cannot be read.
 */
export function deployWindow({
  windows,
  freezes,
  at,
}: {
  windows: readonly WindowConfig[]
  freezes: readonly Freeze[]
  at: number
}): WindowState {
  const rules = windows.flatMap(compile)
  const reason = closedBecause(rules, freezes, at)
  return { open: reason === null, reason, nextChangeAt: nextChange(rules, freezes, at, reason === null) }
}

function compile({ allow, deny, timezone }: WindowConfig): Rule[] {
  const zone = zoneOf(timezone)
  const texts = [
    ['allow', allow],
    ['deny', deny],
  ] as const
  return texts.flatMap(([effect, text]): Rule[] => {
    if (text === undefined) return []
    const window = parseWindow(text)
    const label = `"${text.trim()}" (${timezone ?? 'UTC'})`
    if (window.kind === 'weekly') return [{ effect, label, zone, ...window }]
    const from = momentOf(zone, window.start, 'first')
    const to = momentOf(zone, window.end, 'last')
    return [{ effect, label, zone, kind: 'absolute', from, to }]
  })
}

function closedBecause(rules: readonly Rule[], freezes: readonly Freeze[], at: number): string | null {
  const freeze = freezes.find(({ until }) => until === null || at < until)
  if (freeze) {
    const until = freeze.until === null ? 'until it is lifted' : `until ${showTime(freeze.until, zoneOf('UTC'))}`
    return `frozen ${until}: ${freeze.reason}`
  }
  const deny = rules.find((rule) => rule.effect === 'deny' && covers(rule, at))
  if (deny) return `inside the closed window ${deny.label}`
  const allows = rules.filter((rule) => rule.effect === 'allow')
  if (allows.length === 0 || allows.some((rule) => covers(rule, at))) return null
  return `outside the deployment window${allows.length > 1 ? 's' : ''} ${allows.map(({ label }) => label).join(', ')}`
}

function covers(rule: Rule, at: number): boolean {
  if (rule.kind === 'absolute') return rule.from <= at && at < rule.to
  const minute = minuteOfWeekAt(rule.zone, at)
  return rule.spans.some(({ start, end }) =>
    start < end ? start <= minute && minute < end : minute >= start || minute < end,
  )
}

/**
 * The answer can change only at an end of an absolute window or freeze, when a clock on the wall shows the end of a weekly
 * window, and when that clock is moved. Those moments are tried in their order.
 */
function nextChange(rules: readonly Rule[], freezes: readonly Freeze[], at: number, open: boolean): number | null {
  const fixed = fixedMoments(rules, freezes)
  const weekly = rules.filter((rule) => rule.kind === 'weekly')
  const differs = (moment: number) => (closedBecause(rules, freezes, moment) === null) !== open
  for (let from = at; ; ) {
    const lock = open ? undefined : lockedUntil(rules, freezes, from)
    if (lock === null) return null
    if (lock === undefined) {
      for (let day = 0; day < PATTERN_DAYS && weekly.length > 0; day++, from += DAY) {
        const inDay = fixed.filter((moment) => moment > from && moment <= from + DAY)
        const found = [...inDay, ...weeklyMoments(weekly, from)].sort((a, b) => a - b).find(differs)
        if (found !== undefined) return found
      }
    }
    const next = lock ?? fixed.find((moment) => moment > from)
    if (next === undefined) return null
    if (differs(next)) return next
    from = next
  }
}

/** End of the freezes and absolute denials that hold at a moment; null = no end, undefined = none holds. */
function lockedUntil(rules: readonly Rule[], freezes: readonly Freeze[], at: number): number | null | undefined {
  const ends = freezes.filter(({ until }) => until === null || at < until).map(({ until }) => until)
  for (const rule of rules)
    if (rule.kind === 'absolute' && rule.effect === 'deny' && covers(rule, at)) ends.push(rule.to)
  if (ends.includes(null)) return null
  return ends.length === 0 ? undefined : Math.max(...(ends as number[]))
}

function fixedMoments(rules: readonly Rule[], freezes: readonly Freeze[]): number[] {
  const ends = rules.flatMap((rule) => (rule.kind === 'absolute' ? [rule.from, rule.to] : []))
  const lifts = freezes.flatMap(({ until }) => (until === null ? [] : [until]))
  return [...ends, ...lifts].sort((a, b) => a - b)
}

/** Moments in (from, from + 1 day] at which a weekly window may begin or end. */
function weeklyMoments(rules: readonly (Rule & { kind: 'weekly' })[], from: number): number[] {
  const moments = new Set<number>()
  for (const [zone, minutes] of minutesByZone(rules)) {
    const change = offsetChange(zone, from, from + DAY)
    if (change !== null) moments.add(change)
    // The dates that the calendar shows in this span: today's, and its neighbours for clocks moved over midnight.
    const { year, month, day } = wallTimeAt(zone, from)
    for (const ahead of [-1, 0, 1, 2]) {
      const date = new Date(Date.UTC(year, month - 1, day + ahead))
      const weekday = (date.getUTCDay() + 6) % 7
      for (const minuteOfWeek of minutes) {
        if (Math.floor(minuteOfWeek / MINUTES_PER_DAY) !== weekday) continue
        const wall = {
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          minute: minuteOfWeek % MINUTES_PER_DAY,
        }
        for (const moment of momentsOf(zone, wall)) if (moment > from && moment <= from + DAY) moments.add(moment)
      }
    }
  }
  return [...moments]
}

function minutesByZone(rules: readonly (Rule & { kind: 'weekly' })[]): Map<Zone, Set<number>> {
  const byZone = new Map<Zone, Set<number>>()
  for (const { zone, spans } of rules) {
    const minutes = byZone.get(zone) ?? new Set()
    byZone.set(zone, minutes)
    for (const { start, end } of spans) minutes.add(start).add(end)
  }
  return byZone
}
