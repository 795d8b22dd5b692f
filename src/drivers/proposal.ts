import type { Json } from '../lib/json.ts'

/**
 * What a driver thinks of a place in a repository, for `trueup init`. A proposal is read by people before it does anything,
 * and says why it was made.
 */
export interface Proposal {
  /** Directory from the root of the repository. */
  path: string
  /** Where the path alone does not name it: several stacks of one directory. */
  name?: string
  with?: { [key: string]: Json }
  /** The environment that a file of it names (`production.tfvars`); directories are looked at for all drivers alike. */
  environment?: string
  /** It is one thing that exists once, such as a state with a fixed key or a fixed inventory: never one per environment. */
  single?: boolean
  /** What made the driver recognise it, in a few words: `chart web`, `playbook site.yml`. */
  why?: string
  /** `unsure` ones are written as comments. Default `sure`. */
  confidence?: 'sure' | 'likely' | 'unsure'
  /** What could be hit if the guess is wrong. Such a proposal takes effect only after somebody said so. */
  danger?: string
}

/** What looks like a driver's and is no stack. */
export interface LeftOut {
  /** A directory or a file from the root of the repository. */
  path: string
  /** In a few words, to be read after "left out because". */
  why: string
}

export interface Detected {
  stacks: Proposal[]
  leftOut: LeftOut[]
}

/** Sorted by path in plain code unit order, the same on every machine. */
export const byPath = (a: { path: string }, b: { path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0
