import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Slices } from './slices.ts'

function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

it('does pieces in their order, and lets the loop turn after some milliseconds of them', async () => {
  const slices = new Slices()
  const order: number[] = []
  const turns = new Set<number>()
  let turn = 0
  for (let piece = 0; piece < 40; piece++)
    slices.add(() => {
      work(1)
      order.push(piece)
      turns.add(turn)
    })
  for (; order.length < 40; turn++) await turnOfTheLoop()
  expect(order).toEqual(Array.from({ length: 40 }, (_, at) => at))
  // Forty milliseconds in slices of four; a busy machine makes them more.
  expect(turns.size).toBeGreaterThanOrEqual(8)
  expect(slices.length).toBe(0)
})

it('counts what a piece does after it has waited for what is there at once', async () => {
  const slices = new Slices()
  let [done, turn] = [0, 0]
  const turns = new Set<number>()
  for (let piece = 0; piece < 10; piece++)
    slices.add(() => {
      void (async () => {
        for (let step = 0; step < 5; step++) {
          await Promise.resolve()
          work(1)
        }
        done++
        turns.add(turn)
      })()
    })
  for (; done < 10; turn++) await turnOfTheLoop()
  expect(turns.size).toBe(10)
})

it('goes on after a piece that throws', async () => {
  const slices = new Slices()
  const thrown = new Promise<unknown>((resolve) => {
    void slices
      .turn()
      .then(() => {
        throw new Error('of this piece')
      })
      .catch(resolve)
  })
  const next = slices.turn()
  await expect(thrown).resolves.toMatchObject({ message: 'of this piece' })
  await next
})
