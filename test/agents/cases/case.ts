import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findTool } from '../../tools.ts'

/** Files of a repository by path. */
export interface Files {
  [path: string]: string
}

/** Where a test lets stacks work. */
export interface Ground {
  /** Directory below which files are made. */
  target: string
  /** Filesystem mirror of Terraform's providers. */
  mirror: string
}

/** A stack of one driver that brings one word, the release, to one place. */
export interface Case {
  driver: string
  /** Why it cannot be here, or null. */
  missing: string | null
  /** Its tool takes seconds of a core for each look. */
  heavy?: boolean
  open(ground: Ground): Promise<Stage>
}

/** A case with everything it needs up and running. A place is a name that is part of nothing else: `at-push`. */
export interface Stage {
  driver: string
  heavy?: boolean
  /** Ports of this machine's loopback that a worker must reach. */
  ports?: readonly number[]
  /** The rest of the stack's entry in `trueup.yaml`. */
  settings: object
  /** Files of the stack's directory, which brings what is shared to a place. */
  stack: (place: string) => Files
  /** Files beside it, which say the release. */
  shared: (release: string) => Files
  reads: (place: string) => Promise<string | null>
  tamper: (place: string) => Promise<unknown>
  close: () => Promise<void>
}

export const without = (tool: string): string | null =>
  findTool(tool) ? null : `${tool} is missing, "npm run tools" installs it`

/** A stage of which the outcome is a file of this machine. */
export function onFile(
  driver: string,
  { target }: Ground,
  {
    stack,
    ...more
  }: Pick<Stage, 'settings' | 'shared'> & {
    /** `to`: the file. */
    stack: (to: string) => Files
  },
): Stage {
  const fileOf = (place: string): string => join(target, place, driver)
  return {
    driver,
    ...more,
    stack: (place) => {
      mkdirSync(dirname(fileOf(place)), { recursive: true })
      return stack(fileOf(place))
    },
    reads: async (place) => (existsSync(fileOf(place)) ? readFileSync(fileOf(place), 'utf8').trim() : null),
    tamper: async (place) => writeFileSync(fileOf(place), 'by hand\n'),
    close: async () => {},
  }
}
