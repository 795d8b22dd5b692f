import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseCodeOwners } from '../../domain/gates/code-owners.ts'
import { facetsOf, toolFacets } from '../../domain/facets.ts'
import { createRepository } from '../changes/repositories.ts'
import { openStore, type Store } from '../open.ts'
import { stackMatrix, type MatrixFilter } from './matrix.ts'
import { listStacks, upsertStack, type StackStatus } from './stacks.ts'

let store: Store
let directory: string
let repositoryId: string

const STACKS: [name: string, environment: string, status: StackStatus, driver?: string][] = [
  ['apps/a', 'production', 'in_sync'],
  ['apps/a', 'staging', 'failed'],
  ['apps/b_100%', 'production', 'drifted', 'command'],
  ['base', 'production', 'pending'],
  ['zoo', 'staging', 'awaiting_approval'],
  ['back', 'staging', 'quarantined'],
  ['dark', 'staging', 'unknown'],
]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-matrix-'))
  store = await openStore(directory)
  await store.transaction(async (tx) => {
    repositoryId = (await createRepository(tx, { name: 'shop', defaultBranch: 'main', hashKeySealed: 'sealed' })).id
    for (const [name, environment, status, driver = 'files'] of STACKS)
      await upsertStack(tx, { repositoryId, environment, name, path: name, driver, status, config: { driver } })
  })
})
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

const names = async (filter: Partial<MatrixFilter> = {}) =>
  (await stackMatrix(store.db, { repositoryId, sort: 'name', ...filter }, {})).items.map(({ name }) => name)

it('has a row for each name, with a cell for each environment', async () => {
  const { items } = await stackMatrix(store.db, { repositoryId, sort: 'name' }, {})
  expect(items.map(({ name, cells }) => [name, cells.map(({ environment }) => environment).sort()])).toEqual([
    ['apps/a', ['production', 'staging']],
    ['apps/b_100%', ['production']],
    ['back', ['staging']],
    ['base', ['production']],
    ['dark', ['staging']],
    ['zoo', ['staging']],
  ])
})

it('puts first what needs a person most', async () => {
  expect(await names({ sort: 'need' })).toEqual(['apps/a', 'zoo', 'apps/b_100%', 'dark', 'back', 'base'])
})

it('keeps a row whole that a filter finds', async () => {
  const { items } = await stackMatrix(store.db, { repositoryId, sort: 'name', status: 'failed' }, {})
  expect(items.map(({ cells }) => cells.length)).toEqual([2])
  expect(await names({ driver: 'command' })).toEqual(['apps/b_100%'])
  expect(await names({ environment: 'staging' })).toEqual(['apps/a', 'back', 'dark', 'zoo'])
  expect(await names({ status: 'quarantined' })).toEqual(['back'])
})

it('searches for the text itself, in any case', async () => {
  expect(await names({ text: 'APPS/' })).toEqual(['apps/a', 'apps/b_100%'])
  expect(await names({ text: 'command' })).toEqual(['apps/b_100%'])
  expect(await names({ text: 'FILES apps' })).toEqual(['apps/a'])
  expect(await names({ text: 'command zoo' })).toEqual([])
  expect(await names({ text: '100%' })).toEqual(['apps/b_100%'])
  expect(await names({ text: '_' })).toEqual(['apps/b_100%'])
  expect(await names({ text: '%' })).toEqual(['apps/b_100%'])
})

it.each(['need', 'name'] as const)('goes on after a page by %s without gap or repeat', async (sort) => {
  const whole = await names({ sort })
  const found: string[] = []
  let cursor: string | undefined
  do {
    const page = await stackMatrix(store.db, { repositoryId, sort }, { limit: 1, cursor })
    found.push(...page.items.map(({ name }) => name))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  expect(found).toEqual(whole)
})

it('finds by owner, label and tool: a part of one by search, whole ones by filter', async () => {
  await store.transaction(async (tx) => {
    const facets = facetsOf(
      { path: 'base', labels: { tier: 'web_50%', Cost: 'EU' } },
      parseCodeOwners('base/ @Ada @@pay'),
    )
    const base = { repositoryId, environment: 'production', name: 'base', path: 'base', driver: 'files', config: {} }
    await upsertStack(tx, { ...base, facets, tools: toolFacets({ tofu: '1.12.6', 'registry/aws': '5.1' }) })
  })
  for (const text of ['@ada', 'ADA', 'team/pay', 'tier=', 'web_50% cost=eu', 'tofu', '1.12', 'aws base files'])
    expect([text, await names({ text })]).toEqual([text, ['base']])
  for (const text of ['owner', 'webx50', 'tofu drifted']) expect(await names({ text })).toEqual([])
  expect(await names({ owner: '@Ada' })).toEqual(['base'])
  expect(await names({ owner: '@ad' })).toEqual([])
  expect(await names({ label: 'tier=web_50%' })).toEqual(['base'])
  expect(await names({ label: 'tier=web_5' })).toEqual([])
  expect(await names({ tool: 'tofu' })).toEqual(['base'])
  expect(await names({ tool: 'tofu@1.12.6' })).toEqual(['base'])
  expect(await names({ tool: 'tofu@1.12' })).toEqual([])
  const found = await listStacks(store.db, { repositoryId, tool: 'registry/aws', text: 'cost=eu' })
  expect(found.items.map(({ name }) => name)).toEqual(['base'])
})
