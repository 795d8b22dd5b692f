import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../../src/domain/config/parse.ts'
import { discoverStacks } from '../../src/domain/stacks/discover.ts'
import { draft } from '../../src/cli/init/draft.ts'
import { type Draft, textOf } from '../../src/cli/init/text.ts'
import type { WorkingTree } from '../../src/cli/local/working-tree.ts'
import { contentOf } from './contents.ts'

const Estate = z.strictObject({
  name: z.string(),
  files: z.record(z.string(), z.string()),
  replace: z.enum(['Flux', 'Argo CD']).optional(),
  environments: z.array(z.string()).optional(),
  /** `environment/name driver` of the stacks that somebody who knows the tools would write. */
  stacks: z.array(z.string()).default([]),
  /** Those that must wait for a person. */
  asks: z.array(z.string()).default([]),
})
export type Estate = z.infer<typeof Estate>

/** Stacks of one estate, each told as `environment/name driver`. */
export interface Score {
  estate: string
  kind: string
  right: string[]
  missing: string[]
  bogus: string[]
  /** They take effect although somebody had to be asked. */
  dangerous: string[]
}

const DIRECTORY = join(import.meta.dirname, 'estates')

/** All estates, by kind. */
export function estates(): { kind: string; estate: Estate }[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .flatMap((file) =>
      z
        .array(Estate)
        .parse(parse(readFileSync(join(DIRECTORY, file), 'utf8')))
        .map((estate) => ({ kind: file.replace('.yaml', ''), estate })),
    )
}

/** What `trueup init` writes for an estate. */
export const drafted = (estate: Estate): Promise<Draft> =>
  draft(treeOf(estate), { environments: estate.environments ?? null, replace: estate.replace ?? null })

export async function scoreOf(kind: string, estate: Estate): Promise<Score> {
  const made = await drafted(estate)
  const active = stacksIn(made, estate)
  const waiting = stacksIn(
    { ...made, entries: made.entries.map((one) => ({ ...one, inactive: one.inactive === null ? '' : null })) },
    estate,
  )
  const right = [
    ...estate.stacks.filter((one) => active.includes(one)),
    ...estate.asks.filter((one) => waiting.includes(one)),
  ]
  return {
    estate: estate.name,
    kind,
    right,
    missing: [...estate.stacks, ...estate.asks].filter((one) => !right.includes(one)),
    bogus: active.filter((one) => !estate.stacks.includes(one) && !estate.asks.includes(one)),
    dangerous: active.filter((one) => estate.asks.includes(one)),
  }
}

/** The stacks that the entries without a reason to wait mean, by the text that is written of them. */
function stacksIn(made: Draft, estate: Estate): string[] {
  const { directories } = treeOf(estate)
  return discoverStacks(parseConfig(textOf(made)), directories).stacks.map(({ key, driver }) => `${key} ${driver}`)
}

function treeOf({ files }: Estate): WorkingTree {
  const paths = Object.keys(files).toSorted()
  const directories = new Set<string>()
  for (const path of paths) for (let at = dirname(path); at !== '.'; at = dirname(at)) directories.add(at)
  return {
    root: '/repository',
    files: paths,
    directories: [...directories].toSorted(),
    read: async (path) => (files[path] === undefined ? null : Buffer.from(contentOf(files[path]))),
    list: async (directory) => paths.filter((path) => directory === '.' || path.startsWith(`${directory}/`)),
    copy: async () => {},
    links: async () => new Map(),
    matching: () => [],
  }
}
