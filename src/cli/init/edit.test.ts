import { describe, expect, it } from 'vitest'
import { layoutOf } from '../output.ts'
import { edited } from './edit.ts'
import type { Entry } from './entries.ts'
import { draftText, explanation } from './show.ts'
import { type Draft, textOf } from './text.ts'

const entry = (path: string, more: Partial<Entry> = {}): Entry => ({
  path,
  driver: 'terraform',
  why: 'root module',
  confidence: 'sure',
  inactive: null,
  ...more,
})
const DRAFT: Draft = {
  environments: [
    { name: 'dev', tier: 'development' },
    { name: 'prod', tier: 'production' },
  ],
  entries: [
    entry('db', { environments: ['dev', 'prod'] }),
    entry('etc', { driver: 'files', environments: ['prod'], with: { target: '/etc' }, inactive: 'it is /etc' }),
  ],
  leftOut: [{ path: 'modules/db', why: 'a local module of db' }],
  deployedBy: [],
}
const after = (...lines: string[]): Draft => lines.reduce((draft, line) => edited(draft, line), DRAFT)

describe('a draft', () => {
  it('is changed by what a person types', () => {
    expect(after('take 2').entries[1]?.inactive).toBe(null)
    expect(after('name 1 database').entries[0]?.name).toBe('database')
    const dropped = after('drop 1')
    expect(dropped.entries.map(({ path }) => path)).toEqual(['etc'])
    expect(dropped.leftOut).toContainEqual({ path: 'db', why: 'a person left it out' })
    const renamed = after('env dev qa')
    expect(renamed.environments.map(({ name, tier }) => `${name} ${tier}`)).toEqual(['qa staging', 'prod production'])
    expect(renamed.entries[0]?.environments).toEqual(['qa', 'prod'])
    expect(after('env dev prod').entries[0]?.environments).toEqual(['prod'])
  })

  it.each([
    ['take 3', 'there is no stack 3'],
    ['take', 'the number of a stack is missing'],
    ['drop x', 'there is no stack x'],
    ['name 1', 'the new name is missing'],
    ['env qa test', 'there is no environment qa'],
    ['env dev', 'the old and the new name are needed'],
    ['in 1', 'the environments are missing'],
    ['split 2', 'etc is in one environment only'],
    ['join 1', 'the numbers of two stacks or more are needed'],
    ['join 1 1', 'the numbers of two stacks or more are needed'],
    ['join 1 2', 'db and etc differ in their driver or its settings'],
    ['join 1 4', 'there is no stack 4'],
    ['wirte', 'it is none of the commands'],
  ])('is not changed by "%s"', (line, why) => {
    expect(() => edited(DRAFT, line)).toThrow(why)
  })

  it('is regrouped by environment', () => {
    const parts = after('split 1').entries
    expect(parts.map(({ path, environments }) => `${path} ${environments?.join()}`)).toEqual([
      'db dev',
      'db prod',
      'etc prod',
    ])
    expect(after('split 1', 'drop 1').entries.map(({ environments }) => environments)).toEqual([['prod'], ['prod']])
    expect(after('split 1', 'join 1 2').entries).toEqual(DRAFT.entries)
    const elsewhere = after('in 1 prod,staging')
    expect(elsewhere.entries[0]?.environments).toEqual(['prod', 'staging'])
    expect(elsewhere.environments.map(({ name, tier }) => `${name} ${tier}`)).toContain('staging staging')
    // What was in all environments does not come into one that was not there.
    const all = { ...DRAFT, entries: [entry('db'), entry('web')] }
    expect(edited(all, 'in 2 staging').entries.map(({ environments }) => environments)).toEqual([
      ['dev', 'prod'],
      ['staging'],
    ])
  })

  it('is regrouped by directories that are called by their environment', () => {
    const byDirectory = { ...DRAFT, entries: [entry('live/{environment}/db')] }
    const parts = edited(byDirectory, 'split 1')
    expect(parts.entries.map(({ path, environments }) => `${path} ${environments?.join()}`)).toEqual([
      'live/dev/db dev',
      'live/prod/db prod',
    ])
    expect(edited(parts, 'join 2 1').entries).toEqual(byDirectory.entries)
    expect(() => edited(byDirectory, 'in 1 dev')).toThrow(
      'directories say which environments live/{environment}/db has',
    )
  })

  it('keeps the environments that directories are called by', () => {
    const byDirectory = { ...DRAFT, entries: [entry('live/{environment}/db')] }
    expect(() => edited(byDirectory, 'env dev qa')).toThrow(
      'directories or files of live/{environment}/db are called dev',
    )
  })

  it('is shown with what waits and what was left out, and explained by path', () => {
    const layout = layoutOf({ write: () => true } as unknown as Parameters<typeof layoutOf>[0])
    const shown = draftText(DRAFT, layout)
    expect(shown).toMatch(/2 +etc +files +prod +asks/)
    expect(shown).toContain('etc: it is /etc')
    expect(shown).toContain('modules/db: a local module of db')
    expect(explanation(DRAFT, 'modules/db', [], layout)).toBe('left out  modules/db: a local module of db')
    expect(explanation(DRAFT, 'etc/motd', [], layout)).toContain('asks  etc (files): root module; it is /etc')
    expect(explanation(DRAFT, 'src', ['src/a'], layout)).toContain('No driver recognised anything of the 1 file at src')
    expect(explanation(DRAFT, 'nowhere', [], layout)).toContain('There is no file nowhere')
  })

  it('is written without letting names of files out of comments', () => {
    const hostile = { ...DRAFT, leftOut: [{ path: 'a\nstacks: [x]', why: 'b\u2028c' }] }
    expect(
      textOf(hostile)
        .split('\n')
        .filter((line) => line.startsWith('stacks:')),
    ).toEqual(['stacks:'])
  })
})
