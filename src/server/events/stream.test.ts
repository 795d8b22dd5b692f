import { afterAll, describe, expect, it } from 'vitest'
import { createComment } from '../../store/changes/comments.ts'
import { createDriftRecord } from '../../store/stacks/drift.ts'
import { createMergeRequest } from '../../store/changes/merge-requests.ts'
import { setMember } from '../../store/people/members.ts'
import { noteChange } from '../../store/open.ts'
import { setOutputs } from '../../store/stacks/outputs.ts'
import { upsertStack } from '../../store/stacks/stacks.ts'
import { startTestServer, type Person } from '../testing/app.ts'
import { useServer } from '../testing/use-server.ts'

interface Received {
  id?: string
  event?: string
  data?: { topic?: string; id?: string; repositoryId?: string }
}

const { server, admin } = useServer()
const open: AbortController[] = []
afterAll(() => {
  for (const one of open) one.abort()
})

/** Reads a stream as a browser does; `next` waits for the next event that fits. */
async function listen(person: Person, query = '', lastEventId?: string) {
  const controller = new AbortController()
  open.push(controller)
  const response = await fetch(`${server.url}/api/v1/events${query}`, {
    headers: { authorization: `Bearer ${person.token}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
    signal: controller.signal,
  })
  const received: Received[] = []
  let wake = (): void => {}
  let ended = false
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)))
        if (fields.event) received.push({ ...fields, data: JSON.parse(fields.data) })
      }
      wake()
    }
  })()
    .catch(() => {})
    .finally(() => {
      ended = true
      wake()
    })
  return {
    response,
    received,
    reading,
    close: () => controller.abort(),
    async next(fits: (event: Received) => boolean): Promise<Received> {
      for (;;) {
        const found = received.find(fits)
        if (found) return found
        if (ended) throw new Error('the stream ended')
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}

const touch = (topic: 'stack' | 'run' | 'log' | 'task', id: string, repositoryId?: string) =>
  noteChange(server.store.db, { topic, id, repositoryId })

interface Things {
  stack: string
  mr: string
  /** The drift record that was written last. */
  drift(): string
}

let drifts = 0
const lastDrift = new Map<string, string>()

async function thingsOf(repositoryId: string): Promise<Things> {
  const { store } = server
  return await store.transaction(async (tx) => {
    const place = { environment: 'production', name: 'web', path: 'web', driver: 'files', config: { driver: 'files' } }
    const stack = await upsertStack(tx, { repositoryId, ...place })
    const oids = { headOid: 'a'.repeat(40), targetOid: 'b'.repeat(40) }
    const branches = { sourceBranch: 'change', targetBranch: 'main' }
    const mr = await createMergeRequest(tx, {
      repositoryId,
      number: 1,
      title: 'x',
      description: '',
      draft: false,
      authorId: admin.id,
      ...branches,
      ...oids,
    })
    return { stack: stack.id, mr: mr.id, drift: () => lastDrift.get(stack.id)! }
  })
}

/** Writes to the rows that do not know their repository themselves. */
async function changeAll({ stack, mr }: Things): Promise<void> {
  await server.store.transaction(async (tx) => {
    const record = await createDriftRecord(tx, {
      stackId: stack,
      address: '/etc/motd',
      attribute: `attribute ${++drifts}`,
      expected: 1,
      actual: 2,
      actions: 'update',
      state: 'open',
      since: 1,
      lastSeenAt: 1,
      healCount: 0,
      runId: 'run_1',
    })
    lastDrift.set(stack, record.id)
    await setOutputs(tx, stack, {})
    await createComment(tx, { mrId: mr, threadId: null, body: 'hello' })
  })
}

describe('the event stream', () => {
  it('tells of changes of the topics that were asked for', async () => {
    const stream = await listen(admin, '?topics=run')
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
    touch('stack', 's1')
    touch('run', 'r1')
    const event = await stream.next(({ data }) => data?.id === 'r1')
    expect(event).toMatchObject({ event: 'change', data: { topic: 'run' } })
    expect(stream.received.some(({ data }) => data?.topic === 'stack')).toBe(false)
  })

  it('tells nobody of repositories that they may not see', async () => {
    const ada = await server.person('ada')
    const shop = await server.repository('shop', { [ada.id]: 'reader' })
    const bank = await server.repository('bank')
    const stream = await listen(ada)
    touch('run', 'secret', bank.id)
    touch('task', 'internal')
    touch('run', 'mine', shop.id)
    await stream.next(({ data }) => data?.id === 'mine')
    expect(stream.received.map(({ data }) => data?.id)).not.toContain('secret')
    expect(stream.received.map(({ data }) => data?.id)).not.toContain('internal')
    // A role that is given later counts for a new stream at once.
    await setMember(server.store.db, { repositoryId: bank.id, userId: ada.id, role: 'reader' })
    const second = await listen(ada, '?repository=bank')
    touch('run', 'now', bank.id)
    expect(await second.next(({ data }) => data?.id === 'now')).toBeDefined()
  })

  it('tells nobody of a stack, its drift or a merge request of a repository that they may not see', async () => {
    const eve = await server.person('eve')
    const vault = await server.repository('vault')
    const garden = await server.repository('garden', { [eve.id]: 'reader' })
    const mine = await thingsOf(garden.id)
    const stream = await listen(eve)
    const narrowed = await listen(await server.person('boss', { kind: 'admin', scopes: ['admin', 'repo:garden'] }))
    const secrets = await thingsOf(vault.id)
    await changeAll(secrets)
    touch('run', 'of-nobody')
    await changeAll(mine)
    for (const its of [stream, narrowed]) {
      for (const id of [mine.stack, mine.drift(), mine.mr]) await its.next(({ data }) => data?.id === id)
      expect(its.received.filter(({ data }) => data?.repositoryId !== garden.id)).toEqual([])
    }
    const admins = await listen(admin, '?repository=vault')
    await changeAll(secrets)
    for (const id of [secrets.stack, secrets.drift(), secrets.mr])
      await admins.next(({ data }) => data?.id === id && data.repositoryId === vault.id)
  })

  it('tells a flood of changes of one thing once in a while', async () => {
    const stream = await listen(admin, '?topics=log,run')
    for (let i = 0; i < 5000; i++) touch('log', 'flood')
    touch('run', 'after-flood')
    await stream.next(({ data }) => data?.id === 'after-flood')
    expect(stream.received.filter(({ data }) => data?.id === 'flood').length).toBeLessThan(100)
  })

  it('goes on where a lost connection stopped, without gap or repeat', async () => {
    const before = await listen(admin, '?topics=run')
    touch('run', 'a1')
    const { id } = await before.next(({ data }) => data?.id === 'a1')
    before.close()
    for (const name of ['a2', 'a3', 'a4']) touch('run', name)
    const after = await listen(admin, '?topics=run', id)
    touch('run', 'a5')
    await after.next(({ data }) => data?.id === 'a5')
    expect(after.received.map(({ data }) => data?.id)).toEqual(['a2', 'a3', 'a4', 'a5'])
  })

  it('begins where an answer ends, so that nothing falls between the two', async () => {
    const answer = await fetch(`${server.url}/api/v1/repositories`, {
      headers: { authorization: `Bearer ${admin.token}` },
    })
    const asOf = answer.headers.get('x-trueup-as-of')
    touch('run', 'between')
    // By now whoever listened was told, and nobody is told again without a word of it.
    const early = await listen(admin, `?topics=run&after=${asOf}`)
    await early.next(({ data }) => data?.id === 'between')
    const late = await listen(admin, `?topics=run&after=${asOf}`)
    const plain = await listen(admin, '?topics=run')
    touch('run', 'since')
    for (const stream of [late, plain]) await stream.next(({ data }) => data?.id === 'since')
    expect([late, plain].map(({ received }) => received.map(({ data }) => data?.id))).toEqual([
      ['between', 'since'],
      ['since'],
    ])
    // A browser that was cut off says what it heard last, and goes on from there in spite of its address.
    const last = late.received.at(-1)!.id
    touch('run', 'later')
    const again = await listen(admin, `?topics=run&after=${asOf}`, last)
    await again.next(({ data }) => data?.id === 'later')
    expect(again.received).toHaveLength(1)
    const anonymous = await fetch(`${server.url}/api/v1/server`)
    expect(anonymous.headers.get('x-trueup-as-of')).toBeNull()
  })

  it('says so when the past is gone', async () => {
    const stream = await listen(admin, '', 'deadbeef-12')
    expect(await stream.next(({ event }) => event === 'reset')).toMatchObject({ data: {} })
  })

  it('ends with the server', async () => {
    const other = await startTestServer()
    const person = await other.person('root', { kind: 'admin' })
    const response = await fetch(`${other.url}/api/v1/events`, { headers: { authorization: `Bearer ${person.token}` } })
    const began = Date.now()
    const drained = (async () => {
      for await (const _ of response.body!);
    })()
    await other.close()
    await drained
    expect(Date.now() - began).toBeLessThan(8_000)
  })
})
