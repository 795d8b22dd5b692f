import { TrueupError } from '../lib/errors/error.ts'

/** Milliseconds of each unit. A day is 24 hours: durations know no calendar. */
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof UNITS

const SHAPE = /^(\d{1,15})(ms|s|m|h|d)$/
/** Longer than any timer or interval makes sense; also keeps sums of durations exact. */
export const LONGEST_DURATION_MS = 366 * UNITS.d

/**
 * `90s`, `10m`, `2h`, `1d`, `250ms` as milliseconds. One number and one unit, nothing else, at most 366 days.
 * Throws INVALID_REQUEST.
 */
export function parseDuration(text: string): number {
  const match = SHAPE.exec(text)
  const ms = match ? Number(match[1]) * UNITS[match[2] as Unit] : Number.NaN
  if (ms <= LONGEST_DURATION_MS) return ms
  const why = match ? 'longer than 366 days' : 'not a number with a unit'
  throw new TrueupError('INVALID_REQUEST', {
    doing: `reading the duration ${JSON.stringify(text.slice(0, 40))}`,
    why,
    next: 'Write a number with a unit: 250ms, 90s, 10m, 2h, 1d.',
  })
}

/** Milliseconds for people, at most the two largest units: `1d 2h`, `1h 30m`, `45s`, `250ms`; negative ones as `0ms`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms))
  const parts: string[] = []
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / UNITS[unit])
    if (count === 0) {
      if (parts.length > 0) break
      continue
    }
    parts.push(`${count}${unit}`)
    rest -= count * UNITS[unit]
    if (parts.length === 2) break
  }
  return parts.join(' ') || '0ms'
}
