import { expect, it } from 'vitest'
import { RESEAL_ACTION } from '../../domain/audit.ts'
import { appendAudit, auditHead } from '../audit/audit.ts'
import { resealAudit } from '../audit/reseal.ts'
import { signCheckpoint, verifyAudit } from '../audit/verify.ts'
import { auditKeys } from './audit.ts'
import { type Bench, refusal } from './bench.ts'

/** Broken chains: what is said of them, and how they go on. */
export function auditResealConformance(bench: () => Bench): void {
  const keys = auditKeys()
  const db = () => bench().store.db
  const by = { actor: 'user:ada', reason: 'two writers at once' }
  const append = async (count: number) => {
    for (let i = 0; i < count; i++) {
      bench().clock.advance(1000)
      await bench().store.transaction((tx) => appendAudit(tx, { actor: 'system', action: 'test.x', subject: `s${i}` }))
    }
  }
  const reseal = () => bench().store.transaction((tx) => resealAudit(tx, keys, by))
  const verify = (kept?: { seq: number; hash: string }) => verifyAudit(db(), { keys, kept })

  /** What two writers leave that both read the head before either wrote it. */
  const fork = async () => {
    const before = await auditHead(db())
    await append(1)
    const first = await auditHead(db())
    await db().updateTable('auditHead').set({ hash: before.hash }).execute()
    await append(1)
    return first.seq + 1
  }
  const ways: { [name: string]: { kind: string; seq: number; damage: () => Promise<unknown> } } = {
    'two that follow one link': { kind: 'forked', seq: 6, damage: fork },
    'a changed link': {
      kind: 'changed',
      seq: 3,
      damage: () => db().updateTable('audit').set({ actor: 'user:eve' }).where('seq', '=', 3).execute(),
    },
    'a missing link': {
      kind: 'missing',
      seq: 2,
      damage: () => db().deleteFrom('audit').where('seq', '=', 2).execute(),
    },
    'missing first links': {
      kind: 'missing',
      seq: 1,
      damage: () => db().deleteFrom('audit').where('seq', '<=', 2).execute(),
    },
    'an end that is cut off': {
      kind: 'missing',
      seq: 4,
      damage: () => db().deleteFrom('audit').where('seq', '=', 4).execute(),
    },
    'a head that is gone': { kind: 'head', seq: 1, damage: () => db().deleteFrom('auditHead').execute() },
    'a head that went back': {
      kind: 'head',
      seq: 3,
      damage: () => db().updateTable('auditHead').set({ seq: 2 }).execute(),
    },
    'another head': {
      kind: 'head',
      seq: 4,
      damage: () =>
        db()
          .updateTable('auditHead')
          .set({ hash: 'f'.repeat(64) })
          .execute(),
    },
    'a checkpoint of another chain': {
      kind: 'checkpoint',
      seq: 4,
      damage: () =>
        db()
          .updateTable('auditCheckpoints')
          .set({ hash: 'f'.repeat(64) })
          .execute(),
    },
  }

  it.each(Object.entries(ways))('says what is wrong, and continues after %s', async (_name, { kind, seq, damage }) => {
    const start = bench().clock.now()
    await append(4)
    await bench().store.transaction((tx) => signCheckpoint(tx, keys))
    await damage()
    const broken = await verify()
    expect(broken.ok).toBe(false)
    expect(broken.breaks.map((one) => [one.seq, one.kind])).toContainEqual([seq, kind])
    const first = broken.firstBad!
    for (const time of [first.at, first.after]) if (time !== null) expect(time).toBeGreaterThan(start)

    const named = await reseal()
    const sealed = await verify()
    expect(sealed).toMatchObject({ ok: true, total: 0, breaks: [] })
    expect(sealed.reseals).toMatchObject([{ seq: named, actor: 'user:ada', reason: by.reason, total: broken.total }])
    expect(sealed.reseals[0]?.breaks).toEqual(broken.breaks)
    await append(3)
    await bench().store.transaction((tx) => signCheckpoint(tx, keys))
    expect(await verify()).toMatchObject({ ok: true })
    await refusal(reseal(), 'CONFLICT')
  })

  it('refuses to continue a chain that is whole, and leaves it alone', async () => {
    await append(3)
    const refused = await refusal(reseal(), 'CONFLICT')
    expect(refused.text.why).toContain('sound')
    expect(await verify()).toMatchObject({ ok: true, count: 3, reseals: [] })
  })

  it('notices what is changed, removed or forged after it was named', async () => {
    await append(2)
    const seq = await fork()
    const event = await reseal()
    await append(2)
    expect((await verify()).ok).toBe(true)
    const attempt = async (damage: () => Promise<unknown>, undo: () => Promise<unknown>) => {
      await damage()
      const verdict = await verify()
      await undo()
      expect((await verify()).ok).toBe(true)
      return verdict
    }
    const set = (at: number, actor: string) => () =>
      db().updateTable('audit').set({ actor }).where('seq', '=', at).execute()
    // Beside the break, at the break, in the event that names it, and behind.
    for (const at of [1, seq, event, event + 1]) {
      const actor = at === event ? 'user:ada' : 'system'
      expect(await attempt(set(at, 'user:eve'), set(at, actor)), String(at)).toMatchObject({ ok: false })
    }
    const rows = await db().selectFrom('audit').selectAll().where('seq', '=', 1).execute()
    const removed = await attempt(
      () => db().deleteFrom('audit').where('seq', '=', 1).execute(),
      () => db().insertInto('audit').values(rows).execute(),
    )
    expect(removed.breaks.map((one) => one.kind)).toEqual(expect.arrayContaining(['missing', 'forked', 'reseal']))
  })

  it('takes no event that another key signed', async () => {
    await append(2)
    await fork()
    await bench().store.transaction((tx) => resealAudit(tx, auditKeys(), by))
    const verdict = await verify()
    expect(verdict.breaks.at(-1)).toMatchObject({ kind: 'reseal', why: 'its signature is wrong' })
    expect(verdict).toMatchObject({ ok: false, reseals: [] })
    // And one that only looks like it.
    await bench().store.transaction((tx) =>
      appendAudit(tx, { actor: 'user:eve', action: RESEAL_ACTION, subject: 'audit', data: { through: 5 } }),
    )
    expect((await verify()).breaks.at(-1)).toMatchObject({ kind: 'reseal' })
    // The right key names them all.
    await reseal()
    expect(await verify()).toMatchObject({ ok: true, reseals: [{ total: 3 }] })
  })

  it('never names what is not the head that somebody kept', async () => {
    await append(4)
    const kept = await auditHead(db())
    await append(2)
    await db().deleteFrom('audit').where('seq', '>=', 4).execute()
    await reseal()
    expect(await verify()).toMatchObject({ ok: true })
    expect(await verify(kept)).toMatchObject({ ok: false, firstBad: { seq: 4, kind: 'kept' } })
    expect(await verify({ seq: 99, hash: kept.hash })).toMatchObject({ ok: false, firstBad: { seq: 99, kind: 'kept' } })
    expect(await verify(await auditHead(db()))).toMatchObject({ ok: true })
  })

  it('names a second break as well, and bounds what it lists', async () => {
    await append(150)
    await db().updateTable('audit').set({ actor: 'user:eve' }).execute()
    expect(await verify()).toMatchObject({ ok: false, count: 0, total: 150, breaks: { length: 100 } })
    await reseal()
    await fork()
    expect(await verify()).toMatchObject({ ok: false, total: 1, count: 152, reseals: [{ total: 150 }] })
    await reseal()
    expect(await verify()).toMatchObject({ ok: true, reseals: [{ total: 150 }, { total: 1 }] })
  })
}
