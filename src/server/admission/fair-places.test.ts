import { expect, it } from 'vitest'
import { createFairPlaces } from './fair-places.ts'

const LIMITS = { atOnce: 1, waiting: 100, waitingOfOne: 50, patienceMs: 60_000, longMs: 60_000 }
const here = new AbortController().signal

it('one that asks a hundred times lets the others in between', async () => {
  const places = createFairPlaces(LIMITS)
  const order: string[] = []
  const ask = async (share: string): Promise<void> => {
    const place = await places.take(share, here)
    if (typeof place === 'string') return void order.push(`${share}: ${place}`)
    order.push(share)
    await Promise.resolve()
    place()
  }
  const first = await places.take('ada', here)
  const all = [...Array.from({ length: 5 }, () => ask('ada')), ask('bob'), ask('cy'), ask('bob')]
  ;(first as () => void)()
  await Promise.all(all)
  expect(order).toEqual(['ada', 'bob', 'cy', 'ada', 'bob', 'ada', 'ada', 'ada'])
  expect(places.waiting).toBe(0)
})

it('sends away whom it cannot let wait, and forgets who left', async () => {
  const places = createFairPlaces({ ...LIMITS, waiting: 3, waitingOfOne: 2 })
  const give = (await places.take('ada', here)) as () => void
  const leaving = new AbortController()
  const waiting = [places.take('ada', here), places.take('ada', leaving.signal)]
  expect(await places.take('ada', here)).toBe('share full')
  waiting.push(places.take('bob', here))
  expect(places.full).toBe(true)
  expect(await places.take('cy', here)).toBe('full')
  leaving.abort()
  expect(await waiting[1]).toBe('gone')
  expect(places.full).toBe(false)
  give()
  give()
  const second = (await waiting[0]) as () => void
  second()
  ;((await waiting[2]) as () => void)()
  const again = await places.take('cy', here)
  expect(again).toBeTypeOf('function')
})

it('nobody waits for ever', async () => {
  const places = createFairPlaces({ ...LIMITS, patienceMs: 1 })
  await places.take('ada', here)
  expect(await places.take('bob', here)).toBe('too long')
  expect(await places.take('bob', AbortSignal.abort())).toBe('gone')
})

it('of a line that is too long the last are the first, whose clients are still there', async () => {
  const places = createFairPlaces({ ...LIMITS, longMs: -1 })
  const give = (await places.take('ada', here)) as () => void
  const order: string[] = []
  const ask = async (share: string, name: string): Promise<void> => {
    const place = (await places.take(share, here)) as () => void
    order.push(name)
    place()
  }
  const all = [ask('ada', 'old'), ask('ada', 'new'), ask('bob', "bob's")]
  give()
  await Promise.all(all)
  expect(order).toEqual(['new', "bob's", 'old'])
})
