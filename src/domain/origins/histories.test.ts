import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foreignDestroys } from './foreign-destroys.ts'
import { changed, history, type Lived, live } from './histories.testing.ts'

/** Addresses that a rollback of these runs may not destroy without a person. */
function asksAbout({ world, deeds }: Lived, rolledBack: ReadonlySet<number>): Set<string> {
  const changes = [...world.keys()].map((address) => changed(address, ['delete']))
  const facts = { deeds, isRolledBack: (id: string) => rolledBack.has(Number(id)), nameOf: (id: string) => id }
  return new Set(foreignDestroys({ changes }, facts).map(({ address }) => address))
}

const someRuns = fc.array(fc.nat(6)).map((numbers) => new Set(numbers))

describe('whatever was done before, a rollback', () => {
  it('never destroys without a person what the rolled-back runs did not make', () => {
    let destroyed = 0
    fc.assert(
      fc.property(history, someRuns, (drawn, some) => {
        const lived = live(drawn)
        const rolledBack = new Set([...some].filter((run) => drawn.runs[run]?.heal === false))
        const asks = asksAbout(lived, rolledBack)
        for (const [address, { maker }] of lived.world) {
          if (!asks.has(address)) destroyed++
          if (maker === null || !rolledBack.has(maker)) expect(asks, `${address} of ${maker}`).toContain(address)
        }
      }),
      { numRuns: 4_000 },
    )
    expect(destroyed).toBeGreaterThan(1_000)
  })

  it('asks nobody about what they made, where every run went to its end', () => {
    fc.assert(
      fc.property(history, someRuns, ({ records, runs }, rolledBack) => {
        const smooth = runs.map((run) => ({
          heal: false,
          lost: false,
          wishes: run.wishes.map((each) => ({ ...each, status: 'done' as const })),
        }))
        const lived = live({ records, runs: smooth })
        const asks = asksAbout(lived, rolledBack)
        for (const [address, { maker }] of lived.world)
          if (maker !== null && rolledBack.has(maker)) expect(asks).not.toContain(address)
      }),
      { numRuns: 1_000 },
    )
  })
})
