import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../domain/config/parse.ts'
import { discoverStacks } from '../../domain/stacks/discover.ts'
import { draft } from './draft.ts'
import { textOf } from './text.ts'

const ROOT = 'terraform {\n  backend "local" {}\n}\n'

/** The stacks that a proposal for these files means, sorted. */
async function proposedFor(environments: string[], paths: string[]): Promise<string[]> {
  const directories = paths.flatMap((path) => path.split('/').map((_, at, all) => all.slice(0, at).join('/')))
  const tree = {
    root: '/repository',
    files: paths,
    directories: [...new Set(directories)].filter((path) => path !== ''),
    read: async (path: string) => Buffer.from(path.endsWith('.tf') ? ROOT : ''),
    list: async () => [],
    copy: async () => {},
    links: async () => new Map<string, string>(),
    matching: () => [],
  }
  const text = textOf(await draft(tree, { environments, replace: null }))
  return discoverStacks(parseConfig(text), tree.directories)
    .stacks.map(({ key, path }) => `${key} (${path})`)
    .toSorted()
}

describe('a proposal for several environments', () => {
  it('has a directory that is named after an environment in that environment only', async () => {
    const paths = ['live/prod/db/main.tf', 'live/stage/db/main.tf', 'live/stage/app/main.tf', 'live/global/dns/main.tf']
    expect(await proposedFor(['stage', 'prod'], paths)).toEqual([
      'prod/live/db (live/prod/db)',
      'prod/live/global/dns (live/global/dns)',
      'stage/live/app (live/stage/app)',
      'stage/live/db (live/stage/db)',
      'stage/live/global/dns (live/global/dns)',
    ])
  })

  it('does not guess which of two such names is meant, or what a stack is where there is only one environment', async () => {
    expect(await proposedFor(['stage', 'prod'], ['prod/stage/main.tf'])).toEqual([
      'prod/prod/stage (prod/stage)',
      'stage/prod/stage (prod/stage)',
    ])
    expect(await proposedFor(['prod'], ['live/prod/db/main.tf'])).toEqual(['prod/live/prod/db (live/prod/db)'])
  })

  it('gives no two stacks one name', async () => {
    const paths = ['live/db/main.tf', 'live/prod/db/main.tf', 'prod/app/main.tf', 'app/prod/main.tf']
    expect(await proposedFor(['stage', 'prod'], paths)).toEqual([
      'prod/app/prod (app/prod)',
      'prod/live/db (live/db)',
      'prod/live/prod/db (live/prod/db)',
      'prod/prod/app (prod/app)',
      'stage/live/db (live/db)',
    ])
  })

  it('takes no directory that a driver did not recognise, and keeps settings that differ', async () => {
    const paths = [
      'live/prod/db/main.tf',
      'live/stage/db/notes.txt',
      'prod/shop/compose.yaml',
      'stage/shop/compose.yaml',
    ]
    expect(await proposedFor(['stage', 'prod'], paths)).toEqual([
      'prod/live/prod/db (live/prod/db)',
      'prod/prod/shop (prod/shop)',
      'stage/stage/shop (stage/shop)',
    ])
  })
})
