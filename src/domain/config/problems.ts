import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** From 1; undefined when the configuration did not come from a text. */
  line?: number
  /** Column from 1; only problems of the YAML itself have one. */
  column?: number
  /** Where in the configuration: `environments.production.windows[0].deny`; empty for the file as a whole. */
  path: string
  message: string
}

/** More than anyone reads in one go; the rest is counted. */
const MAX_LISTED = 100

/** The error of one or more problems: says the first (by line) and how many more, carries them all. */
export function configError(
  code: 'CONFIG_SYNTAX' | 'CONFIG_INVALID' | 'CONFIG_LIMIT' | 'CONFIG_CYCLE' | 'PATH_OUTSIDE',
  doing: string,
  problems: readonly Problem[],
  next?: string,
): TrueupError {
  const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  const more = sorted.length - 1
  const [first] = sorted
  return new TrueupError(code, {
    doing,
    why: `${first ? problemText(first) : 'it is not valid'}${more > 0 ? ` — and ${more} more` : ''}`,
    ...(next !== undefined && { next }),
    details: {
      count: sorted.length,
      problems: sorted
        .slice(0, MAX_LISTED)
        .map(({ line, path, message }) => ({ ...(line !== undefined && { line }), path, message })),
    },
  })
}

/** `line 4: environments.prod: unknown key "teir" (did you mean "tier"?)`. */
export function problemText({ line, column, path, message }: Problem): string {
  const place = line === undefined ? '' : `line ${line}${column === undefined ? '' : `:${column}`}: `
  return `${place}${path === '' ? '' : `${path}: `}${message}`
}

/**
 * What stands behind the "and N more" of an error made by `configError`, one text each, also when it came over the
 * wire. Empty for every other error.
 */
export const furtherProblems = (details: { [key: string]: Json } | undefined): string[] =>
  listedProblems(details).slice(1).map(problemText)

/** A problem as an error carries it, also over the wire. */
export interface ListedProblem {
  line?: number
  path: string
  message: string
  /** The line itself, where the file is at hand. */
  excerpt?: string
}

/** The problems of an error made by `configError`, the first (which its text says) included. Empty for every other error. */
export function listedProblems(details: { [key: string]: Json } | undefined): ListedProblem[] {
  const listed = Details.safeParse(details)
  return listed.success ? listed.data.problems : []
}
const Details = z.object({
  count: z.number(),
  problems: z.array(
    z.object({
      line: z.number().optional(),
      path: z.string(),
      message: z.string(),
      excerpt: z.string().optional(),
    }),
  ),
})

/** `['stacks', 3, 'path']` as `stacks[3].path`; keys that are no plain words are quoted. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[\w-]{1,63}$/.test(String(part))) text += text === '' ? String(part) : `.${String(part)}`
    else text += `[${JSON.stringify(String(part).slice(0, 63))}]`
  }
  return text
}
