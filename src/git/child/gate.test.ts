import { expect, it } from 'vitest'
import { createGate } from './gate.ts'

const never = new AbortController().signal

it('leaves places to others, however many requests one person has open', async () => {
  const gate = createGate(4, 8)
  const ada = [gate.enter('ada', never), gate.enter('ada', never)]
  const leave = await Promise.all(ada)
  const third = gate.enter('ada', never)
  expect(await gate.enter('bob', never)).not.toBeNull()
  expect(await gate.enter('cleo', never)).not.toBeNull()
  leave[0]!()
  expect(await third).not.toBeNull()
})

it('lets the one with the fewest inside go first, and refuses those beyond the queue', async () => {
  const gate = createGate(2, 4)
  const ada = await gate.enter('ada', never)
  const bob = await gate.enter('bob', never)
  const order: string[] = []
  const enter = (person: string) =>
    gate.enter(person, never).then((leave) => (leave ? order.push(person) : order.push(`no ${person}`)))
  const waits = [enter('ada'), enter('ada'), enter('cleo')]
  await enter('ada')
  expect(order).toEqual(['no ada'])
  bob!()
  await waits[2]
  expect(order).toEqual(['no ada', 'cleo'])
  ada!()
  await waits[0]
  expect(order).toEqual(['no ada', 'cleo', 'ada'])
})

it('forgets who went away while waiting', async () => {
  const gate = createGate(1, 1)
  const inside = await gate.enter('ada', never)
  const gone = new AbortController()
  const waiting = gate.enter('bob', gone.signal)
  gone.abort()
  expect(await waiting).toBeNull()
  const next = gate.enter('cleo', never)
  inside!()
  expect(await next).not.toBeNull()
})
