import { compileGlob } from '../glob.ts'
import type { CommentCommand } from './parse.ts'

export interface Named {
  environment: string
  name: string
}

export interface Filtered<T> {
  selected: T[]
  /** Patterns that fit none. */
  unmatched: string[]
}

/** Those of a merge request's stacks that a command means: in one of its environments, and fitting one of its patterns. */
export function filterStacks<T extends Named>(
  { stacks, environments }: Pick<CommentCommand, 'stacks' | 'environments'>,
  all: readonly T[],
): Filtered<T> {
  const byStack = stacks.map((pattern) => {
    const fits = compileGlob(pattern)
    // A stack's name may hold a slash itself.
    return { pattern, fits: ({ environment, name }: Named) => fits(name) || fits(`${environment}/${name}`) }
  })
  const byEnvironment = environments.map((pattern) => {
    const fits = compileGlob(pattern)
    return { pattern, fits: ({ environment }: Named) => fits(environment) }
  })
  const fitsOne = (tests: typeof byStack, stack: Named): boolean =>
    tests.length === 0 || tests.some(({ fits }) => fits(stack))
  return {
    selected: all.filter((stack) => fitsOne(byStack, stack) && fitsOne(byEnvironment, stack)),
    unmatched: [...byStack, ...byEnvironment].filter(({ fits }) => !all.some(fits)).map(({ pattern }) => pattern),
  }
}
