import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../domain/duration.ts'
import { TrueupError } from '../lib/errors/error.ts'

/** Parses a whole number of at least 1 for commander. */
export function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('A whole number of at least 1 is needed.')
}

/** `3` or `!3`. */
export function mrNumber(text: string): number {
  if (/^!?[1-9]\d{0,8}$/.test(text)) return Number(text.replace('!', ''))
  throw new InvalidArgumentError('The number of a merge request is needed: 3 or !3.')
}

/** A duration such as `10m` as milliseconds. */
export function duration(text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof TrueupError ? `${error.text.why}. ${error.next}` : String(error))
  }
}

/** A moment as ISO 8601 with its zone, so that nobody has to guess which clock is meant. */
export function moment(text: string): number {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new InvalidArgumentError('A time with its zone is needed: 2027-01-03T08:00Z or 2027-01-03T09:00+01:00.')
}

export interface EndOptions {
  for?: number
  until?: number
}

/** Adds `--for` and `--until`, of which one may be given. */
export const withEnd = (command: Command, what: string): Command =>
  command
    .addOption(new Option('--for <duration>', `${what} for this long`).argParser(duration).conflicts('until'))
    .addOption(new Option('--until <time>', `${what} until then`).argParser(moment))

/** The end that was asked for, null without one. */
export const endOf = (options: EndOptions): number | null =>
  options.until ?? (options.for === undefined ? null : Date.now() + options.for)
