import { expect, it } from 'vitest'
import { listPlaces, type PlaceFilter } from '../../store/stacks/places-list.ts'
import type { PageRequest } from '../../store/database/page.ts'
import { stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'

const targets: { [name: string]: string } = { one: '/srv/one', other: '/srv/100%', last: '/srv/Z_z' }
const config = JSON.stringify({
  version: 1,
  environments: { staging: {}, production: {} },
  stacks: Object.entries(targets).map(([name, target]) => ({
    name,
    path: 'web',
    driver: 'files',
    environments: [name === 'last' ? 'production' : 'staging'],
    with: { target },
  })),
})
const { harness } = useWorld({ files: { 'trueup.yaml': config, 'web/value': '1' } })

it('places are listed by address in pages, and found by environment, stack and any part of an address', async () => {
  const list = (filter: Omit<PlaceFilter, 'repositoryId'>, page?: PageRequest) =>
    listPlaces(harness.store.db, { repositoryId: harness.repositoryId, ...filter }, page)
  const names = async (filter: Omit<PlaceFilter, 'repositoryId'>) =>
    (await list(filter)).items.map(({ environment, name }) => `${environment}/${name}`)
  const found: string[] = []
  let cursor: string | undefined
  do {
    const { items, next } = await list({}, { limit: 1, ...(cursor !== undefined && { cursor }) })
    found.push(...items.map(({ address }) => address))
    cursor = next ?? undefined
  } while (cursor !== undefined)
  expect(found).toEqual(['files:default:/srv/100%', 'files:default:/srv/Z_z', 'files:default:/srv/one'])
  expect(await names({ environment: 'staging' })).toEqual(['staging/other', 'staging/one'])
  expect(await names({ stackId: (await stackOf(harness, 'production/last')).id })).toEqual(['production/last'])
  // What means something to a pattern means itself here.
  expect([await names({ text: '%' }), await names({ text: 'z_Z' }), await names({ text: '_ne' })]).toEqual([
    ['staging/other'],
    ['production/last'],
    [],
  ])
})
