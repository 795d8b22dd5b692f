import { TrueupError } from '../../lib/errors/error.ts'
import { suggestedTier } from '../../domain/stacks/environment-names.ts'
import { joined, placed, type Regrouped, split } from './regroup.ts'
import type { Draft } from './text.ts'

/** What a person may type where the draft is shown. */
export const EDITS = `  y                     write the file
  n                     write nothing
  take NUMBER           let a waiting entry take effect
  drop NUMBER           leave an entry out
  name NUMBER NAME      call a stack differently
  in NUMBER ENV…        have a stack in these environments and in no other
  split NUMBER          make of a stack one for each of its environments
  join NUMBER NUMBER…   make one of stacks that differ by environment only
  env OLD NEW           call an environment differently; a name that exists joins the two`

/** The draft after one such line. Throws INVALID_REQUEST that says what is wrong with it. */
export function edited(draft: Draft, line: string): Draft {
  const [verb = '', ...words] = line.trim().split(/\s+/)
  const wrong = (why: string): TrueupError =>
    new TrueupError('INVALID_REQUEST', { doing: `reading "${line.trim()}"`, why, next: EDITS })
  const numbered = (word = words[0]): number => {
    const index = Number(word) - 1
    if (!Number.isInteger(index) || draft.entries[index] === undefined)
      throw wrong(`${word === undefined ? 'the number of a stack is missing' : `there is no stack ${word}`}`)
    return index
  }
  const settled = (regrouped: Regrouped): Draft => {
    if ('why' in regrouped) throw wrong(regrouped.why)
    return regrouped
  }
  const change = (index: number, to: Partial<Draft['entries'][number]>): Draft => ({
    ...draft,
    entries: draft.entries.map((entry, at) => (at === index ? { ...entry, ...to } : entry)),
  })
  switch (verb) {
    case 'take':
      return change(numbered(), { inactive: null })
    case 'drop': {
      const index = numbered()
      const { path } = draft.entries[index]!
      const leftOut = [...draft.leftOut, { path, why: 'a person left it out' }]
      return { ...draft, entries: draft.entries.filter((_, at) => at !== index), leftOut }
    }
    case 'name': {
      const [, name] = words
      if (name === undefined) throw wrong('the new name is missing')
      return change(numbered(), { name })
    }
    case 'in': {
      const index = numbered()
      const names = words.slice(1).flatMap((word) => word.split(',').filter(Boolean))
      if (names.length === 0) throw wrong('the environments are missing')
      return settled(placed(draft, index, names))
    }
    case 'split':
      return settled(split(draft, numbered()))
    case 'join':
      return settled(
        joined(
          draft,
          words.map((word) => numbered(word)),
        ),
      )
    case 'env':
      return renamed(draft, words, wrong)
    default:
      throw wrong('it is none of the commands')
  }
}

function renamed(draft: Draft, [old, name]: string[], wrong: (why: string) => TrueupError): Draft {
  if (old === undefined || name === undefined) throw wrong('the old and the new name are needed')
  if (!draft.environments.some((one) => one.name === old)) throw wrong(`there is no environment ${old}`)
  const byDirectory = draft.entries.find(
    ({ path, with: settings }) =>
      path.includes('{environment}') || JSON.stringify(settings ?? {}).includes('{environment}'),
  )
  if (byDirectory !== undefined) throw wrong(`directories or files of ${byDirectory.path} are called ${old}`)
  const environments = draft.environments.map((one) => (one.name === old ? { name, tier: suggestedTier(name) } : one))
  return {
    ...draft,
    environments: [...new Map(environments.map((one) => [one.name, one])).values()],
    entries: draft.entries.map((entry) => ({
      ...entry,
      ...(entry.environments && {
        environments: [...new Set(entry.environments.map((each) => (each === old ? name : each)))],
      }),
    })),
  }
}
