import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RUN_LOG_LIMIT } from '../../domain/wire/worker-protocol.ts'
import { appendRunLog, type LogPiece, readRunLog } from '../runs/log.ts'
import { transitionRun } from '../runs/runs.ts'
import { type Bench, refusal } from './bench.ts'

export function logConformance(bench: () => Bench): void {
  const append = (runId: string, fence: number, offset: number, text: string, times?: LogPiece['times']) =>
    bench().store.transaction((tx) => appendRunLog(tx, { runId, fence }, { offset, text, times }))
  const read = (runId: string, offset?: number, limit?: number) => readRunLog(bench().store.db, runId, offset, limit)
  const leased = async (name = 'a') => {
    const { id } = await bench().run(await bench().stack(name))
    await bench().claim()
    return id
  }

  it('takes nothing from a worker that does not hold the run', async () => {
    const id = await leased()
    const { store } = bench()
    const from = (workerId: string) =>
      store.transaction((tx) => appendRunLog(tx, { runId: id, fence: 1, workerId }, { offset: 0, text: 'x' }))
    await refusal(from('worker_other'), 'LEASE_LOST')
  })

  it('drops repeats, trims overlaps and asks again after a gap', async () => {
    const id = await leased()
    expect(await append(id, 1, 0, 'hello ')).toBe(6)
    expect(await append(id, 1, 0, 'hello ')).toBe(6)
    expect(await append(id, 1, 3, 'lo world')).toBe(11)
    expect(await append(id, 1, 20, 'too far')).toBe(11)
    expect(await append(id, 1, 11, '')).toBe(11)
    expect(await append(id, 1, 2, 'll')).toBe(11)
    expect(await read(id)).toMatchObject({ text: 'hello world', next: 11, size: 11, truncated: false })
    expect(await read(id, 4, 3)).toMatchObject({ text: 'o w', next: 7, size: 11, truncated: false })
    expect(await read(id, 11)).toMatchObject({ text: '', next: 11 })
    expect(await read(id, 400)).toMatchObject({ text: '', next: 400 })
  })

  it("refuses a token that is not the run's", async () => {
    const id = await leased()
    await refusal(append(id, 0, 0, 'x'), 'LEASE_LOST')
    await refusal(append('run_none', 1, 0, 'x'), 'NOT_FOUND')
    await refusal(read('run_none'), 'NOT_FOUND')
  })

  it('keeps when each line was written, whatever was sent again, and never before the run or after now', async () => {
    const id = await leased()
    const run = await bench().store.db.selectFrom('runs').select('createdAt').where('id', '=', id).executeTakeFirst()
    const first = Number(run?.createdAt) + 1
    bench().clock.advance(5_000)
    const at = (...times: [number, number][]) => times
    await append(id, 1, 0, 'one\n', at([0, first]))
    // The first line again, with two that are new.
    await append(id, 1, 0, 'one\ntwo\nthree\n', at([0, first], [4, first + 10], [8, first + 20]))
    await append(id, 1, 14, '😀 past\nfuture\n', at([0, 1], [1, first + 25], [8, first + 1_000_000]))
    const log = await read(id)
    expect(log.text).toBe('one\ntwo\nthree\n😀 past\nfuture\n')
    expect(log.times).toEqual([
      { offset: 0, at: first },
      { offset: 4, at: first + 10 },
      { offset: 8, at: first + 20 },
      { offset: 14, at: first - 1 },
      { offset: 22, at: first - 1 + 5_000 },
    ])
    expect((await read(id, 9, 4)).times).toEqual([{ offset: 9, at: first + 20 }])
    const quiet = await leased('quiet')
    await append(quiet, 1, 0, 'x\n')
    expect((await read(quiet)).times).toHaveLength(1)
  })

  it('takes the tail of a log after the run has ended', async () => {
    const id = await leased()
    await append(id, 1, 0, 'before ')
    await bench().store.transaction((tx) => transitionRun(tx, { runId: id, to: 'failed', actor: 'system' }))
    expect(await append(id, 1, 7, 'after')).toBe(12)
    expect((await read(id)).text).toBe('before after')
  })

  it('counts offsets anew for each lease and keeps the text of all', async () => {
    const id = await leased()
    await append(id, 1, 0, 'first try\n')
    await bench().store.transaction((tx) => transitionRun(tx, { runId: id, to: 'queued', actor: 'system' }))
    expect((await bench().claim())?.fence).toBe(2)
    expect(await append(id, 2, 0, 'second try\n')).toBe(11)
    expect((await read(id)).text).toBe('first try\nsecond try\n')
  })

  it('keeps a bounded amount and says so in one line', async () => {
    const id = await leased()
    const megabyte = 'x'.repeat(1024 * 1024)
    let offset = 0
    for (let i = 0; i < 12; i++) offset = await append(id, 1, offset, megabyte)
    expect(offset).toBe(12 * 1024 * 1024)
    const end = await read(id, RUN_LOG_LIMIT - 4)
    expect(end.truncated).toBe(true)
    expect(end.text).toMatch(/^xxxx\n\[trueup\] log limit of 10 MiB reached[^\n]*\n$/)
    expect(end.next).toBe(end.size)
  })

  it('keeps any text at the length that the worker counts', async () => {
    const id = await leased()
    const odd = 'a\0b😀\ud800é'
    expect(await append(id, 1, 0, odd)).toBe(odd.length)
    expect(await append(id, 1, odd.length, 'z')).toBe(odd.length + 1)
    const { text, next } = await read(id)
    expect(text).toHaveLength(odd.length + 1)
    expect(text.at(-1)).toBe('z')
    expect(text).toContain('😀')
    expect(next).toBe(odd.length + 1)
  })

  it('reads the same text whatever the pieces were', async () => {
    let number = 0
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, maxLength: 60 }),
        fc.array(fc.tuple(fc.nat(70), fc.nat(70)), { maxLength: 12 }),
        fc.nat(70),
        fc.integer({ min: 1, max: 70 }),
        async (text, cuts, offset, limit) => {
          const id = await leased(`p${number++}`)
          for (const [from, length] of cuts) await append(id, 1, from, text.slice(from, from + length))
          const wanted = await append(id, 1, 0, '')
          expect(await append(id, 1, wanted, text.slice(wanted))).toBe(text.length)
          expect((await read(id, offset, limit)).text).toBe(text.slice(offset, offset + limit))
        },
      ),
      { numRuns: 25 },
    )
  })
}
