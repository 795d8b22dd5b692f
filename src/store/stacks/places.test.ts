import { expect, it, onTestFinished } from 'vitest'
import type { Place } from '../../domain/plans/place.ts'
import { createRepository } from '../changes/repositories.ts'
import { openStore } from '../open.ts'
import { temporaryDirectory } from '../testing/directory.ts'
import { claimPlaces, overlappingPlaces, placesOfStack, releasePlaces } from './places.ts'
import { upsertStack } from './stacks.ts'

const directory = (path: string, ...except: string[]): Place => ({ address: `host:web1~1:${path}`, except })
const file = (path: string): Place => ({ address: `host:web1~1:${path}`, shared: true })

it('finds the same overlaps for one place and among thousands, and lets stacks share an address', async () => {
  const store = await openStore(await temporaryDirectory())
  onTestFinished(() => store.close())
  await store.transaction(async (tx) => {
    const wish = { name: 'shop', defaultBranch: 'main', hashKeySealed: 'sealed' }
    const { id: repositoryId } = await createRepository(tx, wish)
    const members = { repositoryId, driver: 'files', status: 'in_sync' as const, config: {} }
    const make = (name: string) => upsertStack(tx, { ...members, environment: 'live', name, path: name })
    const [a, b] = [await make('a'), await make('b')]
    const claim = (stackId: string, runId: string, ...places: Place[]) => claimPlaces(tx, { places, stackId, runId })
    await claim(a.id, 'run_1', file('/etc/motd'), file('/etc/hosts'), directory('/srv', 'www/**'))
    await claim(b.id, 'run_2', file('/etc/motd'), { address: 'terraform:s3 bucket=b key=a' })

    const asked: [Place, string[]][] = [
      [file('/etc/motd'), ['a', 'b']],
      [file('/etc/other'), []],
      [directory('/etc', 'hosts'), ['a', 'b']],
      [directory('/'), ['a', 'a', 'a', 'b']],
      [directory('/srv/www'), []],
      [directory('/srv/web'), ['a']],
      [{ address: 'terraform:s3 bucket=b key=a' }, ['b']],
    ]
    const names = new Map([
      [a.id, 'a'],
      [b.id, 'b'],
    ])
    const many = Array.from({ length: 2_000 }, (_each, at) => directory(`/opt/app${at}`))
    const together = await overlappingPlaces(tx, null, [...many, ...asked.map(([place]) => place)])
    for (const [place, expected] of asked) {
      const told = (found: typeof together) =>
        found
          .filter((one) => one.place === place)
          .map(({ claim: { stackId } }) => names.get(stackId)!)
          .toSorted((a, b) => a.localeCompare(b))
      expect(told(await overlappingPlaces(tx, null, [place])), place.address).toEqual(expected)
      expect(told(together), place.address).toEqual(expected)
    }
    expect(together).toHaveLength(asked.flatMap(([, expected]) => expected).length)
    expect(await overlappingPlaces(tx, a.id, [directory('/srv/web')])).toEqual([])

    await claim(a.id, 'run_3', file('/etc/motd'))
    await releasePlaces(tx, a.id, 'run_3')
    expect((await placesOfStack(tx, a.id)).map(({ address }) => address)).toEqual(['host:web1~1:/etc/motd'])
    expect(await placesOfStack(tx, b.id)).toHaveLength(2)
  })
})
