import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { LOOK_EVERY_MS } from '../../src/engine/connections/looks.ts'
import { listMergeRequests } from '../../src/store/changes/merge-requests.ts'
import { listReviews } from '../../src/store/changes/reviews.ts'
import { connectionOf } from '../../src/store/forges/connections.ts'
import { type GiteaDouble, startGiteaDouble } from './gitea/double.ts'
import type { Fault } from './faults.ts'
import { giteaWorld, placeOf } from './subjects/gitea.ts'
import type { ConnectedWorld } from './subjects/connected.ts'

let double: GiteaDouble
let there: ConnectedWorld
beforeAll(async () => {
  double = await startGiteaDouble()
  there = await giteaWorld(placeOf(double))
  await there.push('main', { a: '1\n' })
  await there.look()
})
afterAll(async () => {
  await there?.stop()
  await double?.close()
})
afterEach(() => {
  double.faults.length = 0
  Object.assign(double.state, { pageSize: 50, etags: false })
})

const connection = async () => (await connectionOf(there.harness.store.db, there.harness.repositoryId))!
const deliver = ({ headers, body }: ReturnType<GiteaDouble['delivery']>) =>
  there.harness.engine.parts.forges.connections.deliver(there.harness.repositoryId, headers, Buffer.from(body))
const delivery = async (event: string) => double.delivery(Number((await connection()).hookId), event)

/** Deliveries that have ordered a look; the clock orders others. */
const taken = async (): Promise<number> =>
  (await there.harness.store.db.selectFrom('hookDeliveries').select('deliveryId').execute()).length

/** What is known of the merge requests of branches with this beginning. */
async function known(prefix: string) {
  const { items } = await listMergeRequests(
    there.harness.store.db,
    { repositoryId: there.harness.repositoryId },
    { limit: 500 },
  )
  const own = items.filter(({ sourceBranch }) => sourceBranch.startsWith(prefix)).reverse()
  return await Promise.all(
    own.map(async ({ id, sourceBranch, title, state }) => [
      sourceBranch.slice(prefix.length),
      title,
      state,
      (await listReviews(there.harness.store.db, id)).filter((its) => its.droppedAt === null).map((its) => its.verdict),
    ]),
  )
}

const KNOWN = [
  ['open', 'Better', 'open', ['approve']],
  ['closed', 'closed', 'closed', []],
  ['merged', 'merged', 'merged', []],
  ['new', 'new', 'open', []],
]

/** What people do, with what the webhook tells of each act; three of the merge requests have been seen before. */
async function happen(prefix: string, tell: (event: string) => Promise<void>): Promise<void> {
  const [author, reviewer] = [there.as('author'), there.as('reviewer')]
  const open = async (name: string): Promise<number> => {
    await there.push(prefix + name, { [prefix + name]: '1\n' })
    return await author.open({ sourceBranch: prefix + name, title: name })
  }
  const [better, closed, merged] = [await open('open'), await open('closed'), await open('merged')]
  await there.look()
  await author.edit(better, { title: 'Better' })
  await tell('pull_request')
  await reviewer.review(better, 'approve', '')
  await tell('pull_request_review_approved')
  await author.close(closed)
  await tell('pull_request')
  await there.mergeThere('second', merged)
  await tell('pull_request')
  await open('new')
  await tell('pull_request')
}

describe('a webhook of Gitea', { timeout: 300_000 }, () => {
  /** By the clock alone: no webhook has asked for it. */
  const nextRound = async (): Promise<void> => {
    // A look that a delivery has ordered would be taken for it.
    await there.harness.settle()
    const before = (await connection()).lookedAt
    there.harness.clock.advance(LOOK_EVERY_MS + 1)
    await vi.waitFor(async () => expect((await connection()).lookedAt).not.toBe(before), {
      timeout: 240_000,
      interval: 50,
    })
    await there.harness.settle()
  }

  it('may be lost, every time', async () => {
    await happen('none-', async () => {})
    await nextRound()
    expect(await known('none-')).toEqual(KNOWN)
  })

  it('may be lost every second time', async () => {
    let count = 0
    await happen('half-', async (event) => {
      count += 1
      if (count % 2 === 0) await deliver(await delivery(event))
    })
    await nextRound()
    expect(await known('half-')).toEqual(KNOWN)
  })

  it('may come thrice and out of order, and yesterday’s again', async () => {
    const all: ReturnType<GiteaDouble['delivery']>[] = []
    await happen('often-', async (event) => void all.push(await delivery(event)))
    for (const each of [...all].reverse()) for (let times = 0; times < 3; times++) await deliver(each)
    await there.harness.settle()
    expect(await known('often-')).toEqual(KNOWN)
    // What was taken once asks for nothing again.
    const before = await taken()
    for (const each of all) await deliver(each)
    expect(await taken()).toBe(before)
    there.harness.clock.advance(24 * 60 * 60_000)
    for (const each of all) await deliver(each)
    await there.harness.settle()
    expect(await known('often-')).toEqual(KNOWN)
  })

  it('that is not signed with its secret asks for nothing', async () => {
    const before = await taken()
    const good = await delivery('push')
    const forged = [
      { ...good, body: `${good.body} ` },
      { ...good, headers: { ...good.headers, 'x-gitea-signature': '0'.repeat(64) } },
      { ...good, headers: { ...good.headers, 'x-gitea-signature': '' } },
      { ...good, headers: {} },
    ]
    for (const each of forged) await expect(deliver(each)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(await taken()).toBe(before)
    const other = there.harness.engine.parts.forges.connections.deliver(
      'repo_none',
      good.headers,
      Buffer.from(good.body),
    )
    await expect(other).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('a Gitea that is ill', { timeout: 300_000 }, () => {
  it.each<Fault['as']>(['limited', 'bad-gateway', 'cut', 'reset'])('is asked again: %s', async (as) => {
    await there.push(`ill-${as}`, { [`ill-${as}`]: '1\n' })
    const number = await there.as('author').open({ sourceBranch: `ill-${as}`, title: 'x' })
    double.faults.push({ on: /^GET .*\/pulls\?/, times: 2, as })
    await there.look()
    expect(await there.elsewhere!.problem()).toBeNull()
    expect(await known(`ill-${as}`)).toEqual([['', 'x', 'open', []]])
    await there.as('author').close(number)
  })

  it('has merged although nobody heard it say so', async () => {
    await there.push('unheard', { unheard: '1\n' })
    await there.as('author').open({ sourceBranch: 'unheard', title: 'x' })
    await there.look()
    const { items } = await listMergeRequests(there.harness.store.db, { sourceBranch: 'unheard' })
    const { id: mrId, headOid, targetOid } = items[0]!
    double.state.pulls.at(-1)!.looked = `${headOid} ${targetOid}`
    double.faults.push({ on: /^POST .*\/merge$/, times: 1, as: 'unheard' })
    const actorId = there.harness.users.reviewer.id
    const how = { mrId, headOid, targetOid, method: 'merge' as const, actorId, bypassReason: null }
    const merged = await there.forge.merging.merge({ ...how, stillAsJudged: async () => true })
    expect(merged).toMatchObject({ state: 'merged', mergeOid: await there.tip('main'), mergedById: actorId })
  })

  it('has one comment although nobody heard that it was written', async () => {
    await there.push('twice', { twice: '1\n' })
    const number = await there.as('author').open({ sourceBranch: 'twice', title: 'x' })
    await there.look()
    const { items } = await listMergeRequests(there.harness.store.db, { sourceBranch: 'twice' })
    double.faults.push({ on: /^POST .*\/comments$/, times: 1, as: 'unheard' })
    const say = () => there.forge.comments.upsert(items[0]!.id, 'once', 'said')
    await expect(say()).rejects.toMatchObject({ code: 'FORGE_UNREACHABLE' })
    await say()
    const said = double.state.comments.filter((its) => its.number === number && its.body.includes('said'))
    expect(said).toHaveLength(1)
  })

  it('is read to its last page, wherever its links point', async () => {
    double.state.pageSize = 2
    const names = Array.from({ length: 7 }, (_, at) => `page-${at}`)
    for (const name of names) {
      await there.push(name, { [name]: '1\n' })
      await there.as('author').open({ sourceBranch: name, title: name })
    }
    await there.look()
    expect((await known('page-')).map(([, title]) => title)).toEqual(names)
  })

  it('says nothing twice where it gives ETags', async () => {
    double.state.etags = true
    await there.look()
    await there.look()
    expect(await there.elsewhere!.problem()).toBeNull()
    await there.push('etag', { etag: '1\n' })
    await there.as('author').open({ sourceBranch: 'etag', title: 'x' })
    await there.look()
    expect(await known('etag')).toEqual([['', 'x', 'open', []]])
  })

  it('that does not know the token any more is told as that, and nothing is closed for it', async () => {
    const bot = double.state.users.find(({ login }) => login === 'trueup-bot')!
    const { token } = bot
    const before = await known('')
    bot.token = 'another'
    await there.look()
    expect(await there.elsewhere!.problem()).toMatch(/^FORGE_TOKEN: Gitea answers 401/)
    bot.token = token
    await there.look()
    expect(await there.elsewhere!.problem()).toBeNull()
    expect(await known('')).toEqual(before)
  })
})
