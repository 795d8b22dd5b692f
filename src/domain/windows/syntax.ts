import { TrueupError } from '../../lib/errors/error.ts'

export const MINUTES_PER_DAY = 1440
export const MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const FULL_DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const

/** Minutes since Monday 00:00, both in [0, 10080); from `start` up to but without `end`, over the week's end if smaller. */
export interface WeeklySpan {
  start: number
  end: number
}

/** A time on the calendar and the wall clock of a place, without a zone. `month` from 1. */
export interface WallTime {
  year: number
  month: number
  day: number
  minute: number
}

export type Window = { kind: 'weekly'; spans: WeeklySpan[] } | { kind: 'absolute'; start: WallTime; end: WallTime }

/**
 * Reads the text of a window. Days are `mon`…`sun` or their full names in any case; times are `HH:MM`, `24:00` ends a day.
 *
 * - `fri 16:00 - mon 08:00`        from one time of the week to another, over the week's end where need be
 * - `mon-fri 09:00 - 17:00`        on each of the days; `mon,wed 22:00 - 02:00` runs past midnight
 * - `09:00 - 17:00`, `sat-sun`     every day; whole days
 * - `2026-12-20 - 2027-01-03`      whole days, the last one included
 * - `2026-12-20 16:00 - 2027-01-03 08:00`
 *
 * Throws CONFIG_INVALID.
 */
export function parseWindow(text: string): Window {
  if (text.length > 200) throw invalid(text, 'it is longer than 200 characters')
  const clean = text.trim().toLowerCase().replaceAll('–', '-').replace(/\s+/g, ' ')
  const window = absolute(clean, text) ?? weekRange(clean, text) ?? daily(clean, text)
  if (window) return window
  throw invalid(text, 'it is none of the forms a window can have')
}

function absolute(clean: string, text: string): Window | null {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[ t](\d\d?:\d\d))? - (\d{4}-\d\d-\d\d)(?:[ t](\d\d?:\d\d))?$/.exec(clean) ??
    /^(\d{4}-\d\d-\d\d)()$/.exec(clean)
  if (!match) return null
  const [, from = '', fromTime, to = from, toTime] = match
  const start = { ...date(from, text), minute: time(fromTime || '00:00', text) }
  const end = { ...date(to, text), minute: time(toTime || '24:00', text) }
  if (order(start) >= order(end)) throw invalid(text, 'it ends before it starts')
  return { kind: 'absolute', start, end }
}

function weekRange(clean: string, text: string): Window | null {
  const match = /^([a-z]+) (\d\d?:\d\d) - ([a-z]+) (\d\d?:\d\d)$/.exec(clean)
  if (!match) return null
  const [, fromDay = '', fromTime = '', toDay = '', toTime = ''] = match
  return weekly([span(day(fromDay, text), time(fromTime, text), day(toDay, text), time(toTime, text))], text)
}

function daily(clean: string, text: string): Window | null {
  const match = /^(?:([a-z][a-z, -]*?) ?)?(?:(?<![a-z])(\d\d?:\d\d) - (\d\d?:\d\d))?$/.exec(clean)
  if (!match || clean === '') return null
  const [, dayList, fromTime, toTime] = match
  const days = dayList === undefined ? DAYS.map((_, i) => i) : parseDays(dayList, text)
  const from = time(fromTime ?? '00:00', text)
  const to = time(toTime ?? '24:00', text)
  return weekly(
    days.map((on) => span(on, from, to > from ? on : (on + 1) % 7, to, from === to)),
    text,
  )
}

function weekly(spans: (WeeklySpan | null)[], text: string): Window {
  const whole = spans.filter((one) => one !== null)
  if (whole.length < spans.length) throw invalid(text, 'it ends at the time at which it starts')
  return { kind: 'weekly', spans: whole }
}

function span(
  startDay: number,
  startMinute: number,
  endDay: number,
  endMinute: number,
  empty = false,
): WeeklySpan | null {
  const start = (startDay * MINUTES_PER_DAY + startMinute) % MINUTES_PER_WEEK
  const end = (endDay * MINUTES_PER_DAY + endMinute) % MINUTES_PER_WEEK
  return empty || start === end ? null : { start, end }
}

function parseDays(list: string, text: string): number[] {
  const days = new Set<number>()
  for (const part of list.split(',')) {
    const [first = '', last = first, ...rest] = part.split('-').map((name) => name.trim())
    if (rest.length > 0) throw invalid(text, `${JSON.stringify(part.trim())} is not a range of days`)
    const end = day(last, text)
    for (let on = day(first, text); ; on = (on + 1) % 7) {
      days.add(on)
      if (on === end) break
    }
  }
  return [...days].sort((a, b) => a - b)
}

function day(name: string, text: string): number {
  const index = Math.max(DAYS.indexOf(name as 'mon'), FULL_DAYS.indexOf(name as 'monday'))
  if (index < 0) throw invalid(text, `${JSON.stringify(name)} is not a day of the week`)
  return index
}

function time(clock: string, text: string): number {
  const [hour = 0, minute = 0] = clock.split(':').map(Number)
  if (minute > 59 || hour * 60 + minute > MINUTES_PER_DAY) throw invalid(text, `${clock} is not a time of day`)
  return hour * 60 + minute
}

function date(iso: string, text: string): Omit<WallTime, 'minute'> {
  const [year = 0, month = 0, dayOfMonth = 0] = iso.split('-').map(Number)
  const back = new Date(Date.UTC(year, month - 1, dayOfMonth))
  const real = back.getUTCMonth() === month - 1 && back.getUTCDate() === dayOfMonth && year >= 1970
  if (!real) throw invalid(text, `${iso} is not a day of the calendar`)
  return { year, month, day: dayOfMonth }
}

const order = ({ year, month, day: on, minute }: WallTime) => Date.UTC(year, month - 1, on, 0, minute)

function invalid(text: string, why: string): TrueupError {
  return new TrueupError('CONFIG_INVALID', {
    doing: `reading the window ${JSON.stringify(text.slice(0, 80))}`,
    why,
    next: 'Write `fri 16:00 - mon 08:00`, `mon-fri 09:00 - 17:00` or `2026-12-20 - 2027-01-03`.',
  })
}
