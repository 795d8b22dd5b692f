import { DateTime, FixedOffsetZone, IANAZone, type Zone } from 'luxon'
import { TrueupError } from '../../lib/errors/error.ts'
import { MINUTES_PER_DAY, type WallTime } from './syntax.ts'

const MINUTE = 60_000
export const DAY = MINUTES_PER_DAY * MINUTE

/** The zone of an IANA name (`Europe/Amsterdam`); UTC where none is named. Throws CONFIG_INVALID. */
export function zoneOf(name: string | undefined): Zone {
  if (name === undefined || name === 'UTC') return FixedOffsetZone.utcInstance
  const zone = IANAZone.create(name)
  if (zone.isValid) return zone
  throw new TrueupError('CONFIG_INVALID', {
    doing: `looking up the time zone ${JSON.stringify(name.slice(0, 80))}`,
    why: 'there is no such zone',
    next: 'Name a zone of the IANA database, such as Europe/Amsterdam or America/New_York.',
  })
}

/** What the calendar and the clock on the wall show at a moment. */
export function wallTimeAt(zone: Zone, at: number): WallTime {
  const local = new Date(at + zone.offset(at) * MINUTE)
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    minute: local.getUTCHours() * 60 + local.getUTCMinutes(),
  }
}

/** Minutes since Monday 00:00 by the clock on the wall. */
export function minuteOfWeekAt(zone: Zone, at: number): number {
  const local = new Date(at + zone.offset(at) * MINUTE)
  return ((local.getUTCDay() + 6) % 7) * MINUTES_PER_DAY + local.getUTCHours() * 60 + local.getUTCMinutes()
}

/** The moments at which the clock on the wall shows a time: none in the hour skipped in spring, two in the one repeated. */
export function momentsOf(zone: Zone, wall: WallTime): number[] {
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, 0, wall.minute)
  const offsets = new Set([zone.offset(asUtc - DAY), zone.offset(asUtc + DAY), zone.offset(asUtc)])
  return [...offsets]
    .map((offset) => ({ at: asUtc - offset * MINUTE, offset }))
    .filter(({ at, offset }) => zone.offset(at) === offset)
    .map(({ at }) => at)
    .sort((a, b) => a - b)
}

/** The moment of a time on the wall; of a skipped one, the moment of the skip; of a repeated one, the one asked for. */
export function momentOf(zone: Zone, wall: WallTime, which: 'first' | 'last'): number {
  const moment = momentsOf(zone, wall).at(which === 'first' ? 0 : -1)
  if (moment !== undefined) return moment
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, 0, wall.minute)
  return offsetChange(zone, asUtc - DAY, asUtc + DAY) ?? asUtc
}

/** The first moment in (from, to] with another offset than at `from`, when the offset at `to` is another; else null. */
export function offsetChange(zone: Zone, from: number, to: number): number | null {
  const before = zone.offset(from)
  if (zone.offset(to) === before) return null
  let [low, high] = [from, to]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zone.offset(middle) === before) low = middle
    else high = middle
  }
  return high
}

/** `2026-12-20 16:00 CET`, for people. */
export function showTime(at: number, zone: Zone): string {
  return DateTime.fromMillis(at, { zone }).setLocale('en').toFormat('yyyy-MM-dd HH:mm ZZZZ')
}
