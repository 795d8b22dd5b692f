const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000]

/** A time for people: ISO without milliseconds, or `-`. */
export const when = (at: number | null | undefined): string =>
  at === null || at === undefined ? '-' : new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')

/**
 * How long before or after `now` that is, in the largest unit that fits: `5 min ago`, `in 2 h`; beyond 60 days the day itself,
 * and `-` for none.
 */
export function ago(at: number | null | undefined, now: number): string {
  if (at === null || at === undefined) return '-'
  const distance = Math.abs(now - at)
  if (distance >= 60 * DAY) return when(at).slice(0, 10)
  if (distance < SECOND) return 'now'
  const [unit, name] =
    distance >= 2 * DAY
      ? [DAY, 'd']
      : distance >= 2 * HOUR
        ? [HOUR, 'h']
        : distance >= 2 * MINUTE
          ? [MINUTE, 'min']
          : [SECOND, 's']
  const span = `${Math.floor(distance / unit)} ${name}`
  return at > now ? `in ${span}` : `${span} ago`
}
