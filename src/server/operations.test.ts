import { readFile, stat, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from './testing/app.ts'
import { type LiveServer, startLiveServer, until } from './testing/live.ts'

let live: LiveServer
let page: string

const config = (target: string, stack = true): string =>
  JSON.stringify({
    version: 1,
    environments: {
      dev: { tier: 'development', drift: { mode: 'observe', interval: '1h' } },
      prod: { tier: 'production', windows: [{ deny: 'sat 00:00 - mon 00:00', timezone: 'Europe/Amsterdam' }] },
    },
    stacks: stack ? [{ path: 'web', driver: 'files', environments: ['dev'], with: { target } }] : [],
  })

const stack = async () => (await live.shop('GET', '/stack?stack=dev/web')).body
const inState = (state: string) => until(stack, (row) => row.state === state)
const ended = (run: string) =>
  until(
    async () => (await live.request('GET', `/api/v1/runs/${run}`)).body,
    (row) => row.finishedAt !== null,
  )
const merged = async (branch: string) => {
  const { body: mr } = await live.shop('POST', '/merge-requests', { sourceBranch: branch, title: branch })
  const path = `/merge-requests/${mr.number}`
  await until(
    async () => (await live.shop('GET', path)).body,
    (row) => row.mergeable,
  )
  await live.shop('POST', `${path}/merge`, {})
  return until(
    async () => (await live.shop('GET', path)).body,
    (row) => row.enacted,
  )
}
const audited = async (action: string) =>
  (await live.request('GET', `/api/v1/audit?action=${action}`)).body.items.map((row: { data: object }) => row.data)

/** Somebody else with a role, by a token of their own. */
async function person(name: string, role: string) {
  await live.request('POST', '/api/v1/users', { name, email: `${name}@example.org` })
  await live.request('PUT', `/api/v1/repositories/shop/members/${name}`, { role })
  const { body } = await live.request('POST', '/api/v1/tokens', { name: 'x', user: name, scopes: ['write'] })
  return (method: string, path: string, order?: unknown) =>
    ask(live.url, body.token, method, `/api/v1/repositories/shop${path}`, order)
}

beforeAll(async () => {
  live = await startLiveServer((directory) => ({
    'trueup.yaml': config(join(directory, 'srv')),
    'web/index.html': 'one\n',
  }))
  page = join(live.directory, 'srv', 'index.html')
  await inState('in_sync')
})
afterAll(() => live.close())

describe('drift', () => {
  const tamper = async (text: string) => {
    await writeFile(page, text)
    const { status, body } = await live.shop('POST', '/drift/checks', { stack: 'dev/web' })
    // The watching runner may have been quicker.
    if (status !== 409) expect([status, (await ended(body.id)).state]).toEqual([201, 'succeeded'])
    return until(
      async () => (await live.shop('GET', '/drift')).body.items,
      (items) => items.length > 0,
    )
  }

  it('is listed by attribute, of a stack or an environment, and stands on the page of the stack', async () => {
    expect((await live.shop('GET', '/drift')).body).toEqual({ items: [], next: null })
    const [record] = await tamper('changed\n')
    expect(record).toMatchObject({ stack: 'dev/web', state: 'open', accepted: null, closedAt: null })
    expect(record.address).toContain('index.html')
    const { deployed } = await stack()
    expect(record.changedBy).toEqual({ how: 'owner', who: userInfo().username, at: expect.any(Number) })
    expect(Math.abs(record.changedBy.at - (await stat(page)).ctimeMs)).toBeLessThan(5_000)
    expect(record.rightUntil).toBeGreaterThanOrEqual(deployed.at)
    expect(record.rightUntil).toBeLessThanOrEqual(record.since)
    const ids = async (query: string) =>
      (await live.shop('GET', `/drift?${query}`)).body.items.map((row: { id: string }) => row.id)
    expect(await ids('environment=dev')).toContain(record.id)
    expect(await ids('stack=dev/web&state=open')).toContain(record.id)
    expect(await ids('environment=prod')).toEqual([])
    expect((await live.shop('GET', '/drift?stack=dev/none')).body.code).toBe('NOT_FOUND')
    const detail = await inState('drifted')
    expect(detail.recentDrift.map((row: { id: string }) => row.id)).toContain(record.id)
    expect(detail.recentDeployments).toMatchObject([{ kind: 'deploy', state: 'succeeded' }])
  })

  it('is healed by deployers only', async () => {
    const reader = await person('rea', 'contributor')
    const refused = await reader('POST', '/drift/heals', { stack: 'dev/web' })
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN'])
    const { status, body } = await live.shop('POST', '/drift/heals', { stack: 'dev/web' })
    expect([status, body.kind]).toEqual([201, 'heal'])
    expect((await ended(body.id)).state).toBe('succeeded')
    expect(await readFile(page, 'utf8')).toBe('one\n')
    // Nor by doing a heal again.
    expect((await reader('POST', `/../../runs/${body.id}/retry`)).status).toBe(403)
    const { recentDrift } = await until(stack, (row) => row.drift.open === 0)
    expect(recentDrift[0]).toMatchObject({ state: 'healed', healCount: 1 })
  })

  it('is accepted with a reason and an end, and not from another repository', async () => {
    const [record] = await tamper('wanted\n')
    await live.request('POST', '/api/v1/repositories', { name: 'other' })
    const order = { reason: 'a campaign', until: Date.now() + 60_000 }
    const path = `/drift/${record.id}/accept`
    expect((await live.request('POST', `/api/v1/repositories/other${path}`, order)).status).toBe(404)
    expect((await live.shop('POST', path, { reason: ' ' })).status).toBe(400)
    expect((await live.shop('POST', path, { reason: 'x', until: 1 })).body.why).toContain('past')
    const { status, body } = await live.shop('POST', path, order)
    expect([status, body.state, body.accepted]).toEqual([200, 'accepted', { by: 'admin', ...order }])
    expect(await audited('drift.accept')).toMatchObject([{ recordId: record.id, reason: 'a campaign' }])
    await writeFile(page, 'one\n')
  })

  it('is codified as a merge request, which the stack names', async () => {
    await inState('in_sync')
    await writeFile(page, 'kept\n')
    const { status, body } = await until(
      () => live.shop('POST', '/drift/codifications', { stack: 'dev/web' }),
      (answer) => answer.status !== 409,
    )
    expect(status).toBe(201)
    await ended(body.id)
    const { proposals } = await until(stack, (row) => row.proposals.length > 0)
    expect(proposals).toMatchObject([{ origin: 'codify', title: 'Codify drift of dev/web' }])
    await live.shop('POST', '/drift/heals', { stack: 'dev/web' })
    await inState('in_sync')
  })
})

describe('environments', () => {
  it('say their rules and whether deployments are open', async () => {
    const { items } = (await live.shop('GET', '/environments')).body
    expect(items.map((row: { name: string }) => row.name)).toEqual(['dev', 'prod'])
    expect(items[1]).toMatchObject({
      tier: 'production',
      protected: true,
      approvals: { required: 1, from: [], rollback: 'one' },
      windows: [{ deny: 'sat 00:00 - mon 00:00', timezone: 'Europe/Amsterdam' }],
      deployments: { nextChangeAt: expect.any(Number) },
      freezes: [],
    })
    expect((await live.shop('GET', '/environments/none')).body.code).toBe('NOT_FOUND')
  })

  it('are frozen, hold deployments back, and go on when they are thawed', async () => {
    const order = { reason: 'stocktaking', until: Date.now() + 3_600_000 }
    const frozen = (await live.shop('POST', '/environments/dev/freezes', order)).body
    expect(frozen).toMatchObject({ environment: 'dev', by: 'admin', ...order })
    const { deployments, freezes } = (await live.shop('GET', '/environments/dev')).body
    expect(deployments).toMatchObject({ open: false, nextChangeAt: order.until })
    expect([deployments.reason, freezes]).toEqual([expect.stringContaining('stocktaking'), [frozen]])
    await merged(await live.push('second', { 'web/index.html': 'two\n' }))
    await until(stack, (row) => row.state === 'pending' && /frozen/.test(row.stateReason))
    const overview = (await live.shop('GET', '/overview')).body
    expect(overview).toMatchObject({
      repository: 'shop',
      stacks: 1,
      environments: [
        { name: 'dev', stacks: 1, states: [{ state: 'pending', count: 1 }], deployments: { open: false } },
        { name: 'prod', stacks: 0, states: [] },
      ],
    })
    const other = await live.shop('DELETE', `/environments/prod/freezes/${frozen.id}`)
    expect(other.body.code).toBe('NOT_FOUND')
    const lifted = await live.shop('DELETE', `/environments/dev/freezes/${frozen.id}`)
    expect(lifted.body.liftedAt).toEqual(expect.any(Number))
    await inState('in_sync')
    expect(await readFile(page, 'utf8')).toBe('two\n')
    expect((await live.shop('DELETE', `/environments/dev/freezes/${frozen.id}`)).body.code).toBe('CONFLICT')
    expect((await live.shop('POST', '/environments/none/freezes', { reason: 'x' })).status).toBe(404)
  })
})

describe('owners', () => {
  it('find their stacks as soon as Git names them, without a deployment', async () => {
    await inState('in_sync')
    const { deployed } = await stack()
    await merged(await live.push('owned', { CODEOWNERS: 'web/ @ada @@pages\n' }))
    expect((await until(stack, (row) => row.facets.length > 0)).facets).toEqual(['@ada', '@team/pages'])
    expect((await stack()).deployed).toEqual(deployed)
    const found = async (query: string) => [
      ...(await live.shop('GET', `/matrix?${query}`)).body.items.map((row: { name: string }) => row.name),
      ...(await live.shop('GET', `/stacks?${query}`)).body.items.map((row: { name: string }) => row.name),
    ]
    expect(await found('q=PAGES')).toEqual(['web', 'web'])
    expect(await found('owner=@ada&driver=files')).toEqual(['web', 'web'])
    expect(await found('owner=@bob')).toEqual([])
    expect(await found('tool=tofu')).toEqual([])
  })
})

describe('variables', () => {
  it('go in, never come out, and are refused where no stack would get them', async () => {
    const value = 'hunter2-very-secret'
    const set = await live.shop('PUT', '/variables', { name: 'TOKEN', environment: 'dev', stack: 'web', value })
    expect(set.body).toMatchObject({ name: 'TOKEN', environment: 'dev', stack: 'web', phase: 'both', secret: true })
    expect([set.body.version, set.body.updatedBy]).toEqual([1, 'admin'])
    await live.shop('PUT', '/variables', { name: 'REGION', value: 'eu', secret: false, phase: 'plan' })
    const again = await live.shop('PUT', '/variables', { name: 'TOKEN', environment: 'dev', stack: 'web', value })
    expect([again.body.id, again.body.version]).toEqual([set.body.id, 2])
    const listed = await live.shop('GET', '/variables')
    expect(listed.body.items.map((row: { name: string }) => row.name)).toEqual(['REGION', 'TOKEN'])
    const everything = JSON.stringify([listed, set, await live.request('GET', '/api/v1/audit?limit=200')])
    expect(everything).not.toContain('hunter2')
    for (const scope of [{ environment: 'dve' }, { environment: 'dev', stack: 'wbe' }])
      expect((await live.shop('PUT', '/variables', { name: 'A', value: 'x', ...scope })).body.code).toBe('NOT_FOUND')
    for (const wrong of [
      { name: '1A', value: 'x' },
      { name: 'A', stack: 'web', value: 'x' },
    ])
      expect((await live.shop('PUT', '/variables', wrong)).body.code).toBe('INVALID_REQUEST')
    const there = `/api/v1/repositories/other/variables/${set.body.id}`
    expect((await live.request('DELETE', there)).status).toBe(404)
    expect((await live.shop('DELETE', `/variables/${set.body.id}`)).body).toEqual({ ok: true })
    expect((await live.shop('DELETE', `/variables/${set.body.id}`)).body.code).toBe('NOT_FOUND')
    await inState('in_sync')
  })

  it('are set by administrators of the repository only', async () => {
    const deployer = await person('dep', 'deployer')
    const { status } = await deployer('PUT', '/variables', { name: 'A', value: 'x' })
    expect(status).toBe(403)
  })
})

describe('a vote', () => {
  it('is counted anew as soon as its giver may not give it any more, or may again', async () => {
    await inState('in_sync')
    const voter = await person('vera', 'contributor')
    const branch = await live.push('judged', { 'web/index.html': 'judged\n' })
    const { body: mr } = await live.shop('POST', '/merge-requests', { sourceBranch: branch, title: 'Judged' })
    const path = `/merge-requests/${mr.number}`
    expect((await voter('POST', `${path}/reviews`, { verdict: 'request_changes', body: 'no' })).status).toBe(201)
    // What Trueup itself says on the page: written when it is judged, and not when somebody looks.
    const says = async (blocked: boolean) =>
      await until(
        async (): Promise<{ author: string | null; body: string }[]> =>
          (await live.shop('GET', `${path}/comments`)).body.items,
        (all) => all.some(({ author, body }) => author === null && body.includes('vera asks for changes') === blocked),
      )
    await says(true)
    await live.shop('PUT', '/members/vera', { role: 'reader' })
    await says(false)
    await live.shop('PUT', '/members/vera', { role: 'contributor' })
    await says(true)
    await live.request('PATCH', '/api/v1/users/vera', { disabled: true })
    await says(false)
    await live.shop('POST', `${path}/close`)
  })
})

describe('what only people decide', () => {
  it('a rolled back state stays in quarantine until that is lifted', async () => {
    await inState('in_sync')
    const target = { what: 'stack', stack: 'dev/web' }
    const mr = (await live.shop('POST', '/rollbacks', { target, reason: 'broken' })).body
    expect(mr).toMatchObject({ origin: 'rollback', title: 'Roll back dev/web' })
    await until(
      () => readFile(page, 'utf8'),
      (text) => text === 'one\n',
    )
    const [entry] = (await live.shop('GET', '/quarantine?stack=dev/web')).body.items
    expect(entry).toMatchObject({ stack: 'dev/web', reason: 'broken', mr: mr.number, by: 'admin', liftedAt: null })
    expect((await live.shop('GET', `/merge-requests/${mr.number}`)).body.quarantine).toEqual([entry])
    // What is deployed now is another state, which nothing is in the way of.
    expect((await live.shop('GET', '/stack?stack=dev/web')).body).toMatchObject({
      quarantined: null,
      quarantine: [entry],
    })
    const path = `/quarantine/${entry.id}/lift`
    expect((await live.request('POST', `/api/v1/repositories/other${path}`, { reason: 'x' })).status).toBe(404)
    // The bad state comes again: the gate says so.
    const branch = await live.push('again', { 'web/index.html': 'two\n' })
    const { body: bad } = await live.shop('POST', '/merge-requests', { sourceBranch: branch, title: 'Again' })
    const blocked = await until(
      async () => (await live.shop('GET', `/merge-requests/${bad.number}`)).body,
      (row) => row.planned,
    )
    expect(blocked.mergeable).toBe(false)
    expect(blocked.requirements).toContainEqual(
      expect.objectContaining({ name: 'quarantine', satisfied: false, message: expect.stringContaining('broken') }),
    )
    expect(blocked.quarantine).toEqual([entry])
    expect((await live.shop('POST', path, { reason: 'it was the network' })).body.liftedAt).toEqual(expect.any(Number))
    await until(
      async () => (await live.shop('GET', `/merge-requests/${bad.number}`)).body,
      (row) => row.mergeable,
    )
    expect((await live.shop('GET', '/quarantine')).body.items).toEqual([])
    await live.shop('POST', `/merge-requests/${bad.number}/close`)
  })

  it('a bypass is told with who did it', async () => {
    const branch = await live.push('draft', { 'web/more.html': 'more\n' })
    const order = { sourceBranch: branch, title: 'Draft', draft: true }
    const { body: mr } = await live.shop('POST', '/merge-requests', order)
    const path = `/merge-requests/${mr.number}/merge?bypass=1`
    const { body } = await live.shop('POST', path, { bypassReason: 'the site is down' })
    expect(body).toMatchObject({ state: 'merged', bypassReason: 'the site is down', mergedBy: 'admin' })
    expect(body.mergedAt).toEqual(expect.any(Number))
    await until(stack, (row) => row.state === 'in_sync' && row.deployed.commit === body.mergeCommit)
  })

  it('a stack that left Git is orphaned until it is forgotten', async () => {
    const order = { stack: 'dev/web', how: 'forget', reason: 'moved elsewhere' }
    expect((await live.shop('POST', '/stack/removal', order)).body.why).toContain('still in Git')
    await merged(await live.push('leave', { 'trueup.yaml': config(join(live.directory, 'srv'), false), web: null }))
    await inState('orphaned')
    const { status, body } = await live.shop('POST', '/stack/removal', order)
    expect([status, body]).toEqual([200, { run: null }])
    expect((await live.shop('GET', '/stacks')).body.items).toEqual([])
    expect(await readFile(page, 'utf8')).toBe('one\n')
    expect(await audited('stack.forgotten')).toMatchObject([{ reason: 'moved elsewhere' }])
  })
})

describe('an id', () => {
  it('may be given by its beginning, as long as one thing begins so', async () => {
    const { items } = (await live.shop('GET', '/runs')).body
    const [one, another] = items as { id: string }[]
    const shown = (id: string) => live.request('GET', `/api/v1/runs/${id}`)
    for (const id of [one!.id, one!.id.slice(0, 17), one!.id.slice(4, 17)])
      expect((await shown(id)).body.id, id).toBe(one!.id)
    // The first letters are the time, of which runs of one test have the same.
    const length = Array.from(one!.id).findIndex((letter, index) => letter !== another!.id[index])
    expect(await shown(one!.id.slice(0, length))).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', why: expect.stringContaining('more than one begins so: run_') },
    })
    for (const id of ['run_zzzzzz', 'zzzzzz', 'run_', 'run_0%25', `${one!.id}0`])
      expect((await shown(id)).status, id).toBe(404)
  })
})
