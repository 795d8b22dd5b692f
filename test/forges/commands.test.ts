import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACTS } from '../../src/engine/commands/obey.ts'
import { configOf, runsOf, stackOf } from '../../src/engine/testing/flows.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { ACTIONS, type Action } from '../../src/server/auth/permissions.ts'
import { findMergeRequestByNumber } from '../../src/store/changes/merge-requests.ts'
import { listReviews } from '../../src/store/changes/reviews.ts'
import { connectionOf, patchConnection } from '../../src/store/forges/connections.ts'
import { removeMember, setMember } from '../../src/store/people/members.ts'
import { listUsers } from '../../src/store/people/users.ts'
import { getStateLock, takeStateLock } from '../../src/store/stacks/state.ts'
import { enqueueTask } from '../../src/store/runs/tasks.ts'
import { type GiteaDouble, startGiteaDouble } from './gitea/double.ts'
import { giteaAsks } from './gitea/real.ts'
import type { PersonName } from './subject.ts'
import { giteaWorld, placeOf } from './subjects/gitea.ts'
import type { ConnectedWorld } from './subjects/connected.ts'

let double: GiteaDouble
let there: ConnectedWorld
let world: World
beforeAll(async () => {
  double = await startGiteaDouble()
  there = await giteaWorld(placeOf(double))
  world = createWorld(there.harness)
  const environments = {
    production: { tier: 'production', approvals: { required: 1, rollback: 'none' } },
    staging: { tier: 'development', approvals: { required: 1 } },
  }
  const stacks = { a: { environments: ['production', 'staging'] }, b: { environments: ['production'] } }
  await there.push('main', { 'trueup.yaml': configOf(stacks, { environments }), 'a/value': '1', 'b/value': '1' })
  await there.look()
  await world.adopt()
}, 120_000)
afterAll(async () => {
  await there?.stop()
  await double?.close()
})

const propose = async (branch: string, files: { [path: string]: string }): Promise<number> => {
  await there.push(branch, files)
  const number = await there.as('author').open({ sourceBranch: branch, title: `Change ${branch}` })
  await there.look()
  await world.work()
  return number
}
const mrAt = async (number: number) =>
  (await findMergeRequestByNumber(there.harness.store.db, there.harness.repositoryId, number))!

/** Comments as somebody, has it heard, and gives what came of it. */
async function say(person: PersonName, number: number, body: string) {
  await there.as(person).comment(number, body)
  const comment = double.state.comments.findLast((its) => its.user.login === person)!
  await there.look()
  return { comment, ...heard(comment.id) }
}

function heard(id: number): { answers: string[]; signs: string[] } {
  const marker = `<!-- trueup:answer:${id} -->`
  const { comments } = double.state
  const answers = comments.filter(({ body }) => body.startsWith(marker)).map((its) => its.body.slice(marker.length + 1))
  const signs = [...(comments.find((its) => its.id === id)?.reactions ?? [])]
  return { answers, signs: signs.map((sign) => sign.replace(' of trueup-bot', '')) }
}

const role = (person: PersonName, to: 'reader' | 'maintainer' | 'deployer' | null): Promise<void> =>
  there.harness.store.transaction(async (tx) => {
    const who = { repositoryId: there.harness.repositoryId, userId: there.harness.users[person].id }
    await (to === null ? removeMember(tx, who.repositoryId, who.userId) : setMember(tx, { ...who, role: to }))
  })

describe('a command in a comment', { timeout: 240_000 }, () => {
  it('is answered once, in one place, whatever is heard of it again', async () => {
    const number = await propose('asked', { 'a/value': '2' })
    const { comment, answers, signs } = await say('reviewer', number, 'Hm.\n\n/trueup plan\n/trueup help')
    expect(answers).toEqual([expect.stringMatching(/planning[^]*`\/trueup rollback`: opens a merge request/)])
    expect(signs).toEqual(['eyes'])
    await there.look()
    const planned = (await runsOf(there.harness, { kind: 'preview' })).length
    // As after a process that was killed before it could note the end.
    const { store } = there.harness
    await store.db.updateTable('forgeCommands').set({ state: 'taken' }).execute()
    const mrId = (await mrAt(number)).id
    await store.transaction((tx) => enqueueTask(tx, { kind: 'forge.command', key: mrId, payload: { mrId } }))
    await there.harness.settle()
    expect(heard(comment.id)).toEqual({ answers, signs })
    // What was done is not done again.
    expect((await runsOf(there.harness, { kind: 'preview' })).length).toBe(planned)
    await there.as('author').close(number)
  })

  it('that is quoted, in code, edited, deleted, of the bot or of before does nothing', async () => {
    const number = await propose('unasked', { 'a/value': '3' })
    for (const body of ['> /trueup help', '```\n/trueup help\n```', 'say `/trueup help`', '    /trueup help'])
      expect(await say('reviewer', number, body)).toMatchObject({ answers: [], signs: [] })
    await there.as('reviewer').comment(number, '/trueup help')
    const edited = double.state.comments.at(-1)!
    edited.updated_at = new Date(Date.parse(edited.created_at) + 1000).toISOString()
    await there.as('reviewer').comment(number, '/trueup help')
    const bots = double.state.comments.at(-1)!
    bots.user = double.state.users.find(({ login }) => login === 'trueup-bot')!
    await there.look()
    expect([heard(edited.id), heard(bots.id)]).toEqual([
      { answers: [], signs: [] },
      { answers: [], signs: [] },
    ])
    // Read, and taken back before it was obeyed.
    await there.as('reviewer').comment(number, '/trueup apply')
    const gone = double.state.comments.at(-1)!
    double.faults.push({ on: /^POST .*\/reactions$/, times: 1, as: 'gone' })
    await there.look()
    expect(heard(gone.id)).toEqual({ answers: [], signs: [] })
    expect((await mrAt(number)).state).toBe('open')
    await there.as('author').close(number)
  })

  it('is only obeyed for people with the right', async () => {
    const number = await propose('unentitled', { 'a/value': '4' })
    await role('second', null)
    expect(await say('second', number, '/trueup plan')).toMatchObject({ answers: [], signs: ['-1'] })
    await role('second', 'reader')
    const { answers, signs } = await say('second', number, '/trueup apply')
    expect(answers).toEqual([expect.stringMatching(/no: second is reader, and this takes maintainer/)])
    expect(signs).toEqual(['eyes', '-1'])
    await role('second', 'maintainer')
    expect((await mrAt(number)).state).toBe('open')
    await there.as('author').close(number)
  })

  it('of a stranger gets a sign, and leaves no account here', async () => {
    const number = await propose('strange', { 'a/value': '4' })
    const stranger = { id: 4711, login: 'stranger', token: 'token-of-stranger' }
    double.state.users.push(stranger)
    // Everybody reads what is public, and has no part in it by that.
    double.state.isPrivate = false
    const people = async (): Promise<number> => (await listUsers(there.harness.store.db, { limit: 500 })).items.length
    const before = await people()
    const ask = giteaAsks(double.address)
    const said = await ask(stranger, 'POST', `/repos/owner/shop/issues/${number}/comments`, { body: '/trueup plan' })
    await ask(stranger, 'POST', `/repos/owner/shop/pulls/${number}/reviews`, { event: 'APPROVED', body: '' })
    await there.look()
    await there.look()
    expect(heard(said.id)).toEqual({ answers: [], signs: ['-1'] })
    expect(await listReviews(there.harness.store.db, (await mrAt(number)).id)).toEqual([])
    expect(await people()).toBe(before)
    // Who has a part in it by then is heard.
    double.state.permissions.set(stranger.login, 'write')
    await ask(stranger, 'POST', `/repos/owner/shop/issues/${number}/comments`, { body: '/trueup help' })
    await there.look()
    expect(await people()).toBe(before + 1)
    await there.as('author').close(number)
  })

  it('is heard whatever the forge’s clock has said before, and once its merge request is known', async () => {
    const number = await propose('heard', { 'a/value': '4' })
    const { store, repositoryId } = there.harness
    const { id } = (await connectionOf(store.db, repositoryId))!
    const ahead = Date.now() + 365 * 24 * 60 * 60_000
    await store.transaction((tx) => patchConnection(tx, id, { heardUntil: ahead }))
    expect((await say('reviewer', number, '/trueup help')).answers).toHaveLength(1)
    // The cursor goes on although nobody says anything.
    const heardUntil = async () => (await connectionOf(store.db, repositoryId))!.heardUntil!
    expect(await heardUntil()).toBeLessThan(ahead)
    await store.transaction((tx) => patchConnection(tx, id, { heardUntil: 1_000 }))
    await there.look()
    expect(await heardUntil()).toBeGreaterThan(Date.now() - 24 * 60 * 60_000)
    // Of a merge request that is not known yet: it is waited for.
    const pull = double.state.pulls.find((its) => its.number === number)!
    await there.push('late', { 'a/value': '4' })
    const late = await there.as('author').open({ sourceBranch: 'late', title: 'Late' })
    const opened = double.state.pulls.find((its) => its.number === late)!
    opened.isFork = true
    await there.as('reviewer').comment(late, '/trueup help')
    const comment = double.state.comments.at(-1)!
    const at = new Date(Math.floor(Date.now() / 1000) * 1000 - 20 * 60_000)
    comment.created_at = comment.updated_at = at.toISOString()
    await store.transaction((tx) => patchConnection(tx, id, { heardUntil: at.getTime() }))
    await there.look()
    expect([await heardUntil(), heard(comment.id).answers]).toEqual([at.getTime(), []])
    opened.isFork = pull.isFork
    await there.look()
    expect(heard(comment.id).answers).toHaveLength(1)
    await there.as('author').close(late)
    await there.as('author').close(number)
  })

  it('that merges means the head that stood there when it was written', async () => {
    const number = await propose('overtaken', { 'a/value': '4' })
    await say('reviewer', number, '/trueup approve')
    await there.as('second').comment(number, '/trueup apply')
    const comment = double.state.comments.at(-1)!
    await there.push('overtaken', { 'a/value': '4', 'c/more': 'x' })
    await there.look()
    expect(heard(comment.id).answers).toEqual([
      expect.stringMatching(/no: .*overtaken.* has moved from \w{10} to \w{10}/),
    ])
    expect((await mrAt(number)).state).toBe('open')
    await world.work()
    await there.as('author').close(number)
  })

  it('takes stacks and environments, and does nothing where one of them is wrong', async () => {
    const number = await propose('filtered', { 'a/value': '5', 'b/value': '5' })
    const before = (await runsOf(there.harness, { kind: 'preview' })).length
    const wrong = await say('reviewer', number, '/trueup plan a nothing')
    expect(wrong.answers).toEqual([
      expect.stringMatching(/no stack .* fits nothing\. It has production\/a, production\/b, staging\/a/),
    ])
    expect((await say('reviewer', number, '/trueup dance')).answers[0]).toContain('no such command')
    expect((await runsOf(there.harness, { kind: 'preview' })).length).toBe(before)
    const { answers } = await say('reviewer', number, '/trueup plan a -e prod*')
    expect(answers).toEqual([expect.stringContaining('planning 1 of 3 stacks')])
    expect((await runsOf(there.harness, { kind: 'preview' })).length).toBe(before + 1)
    await world.work()
    await there.as('author').close(number)
  })

  it('approves what stood there when it was written, by whole environments', async () => {
    await there.push('approved', { 'a/value': '6', 'b/value': '6' })
    const number = await there.as('author').open({ sourceBranch: 'approved', title: 'Approve it' })
    await there.look()
    const standing = async () =>
      (await listReviews(there.harness.store.db, (await mrAt(number)).id))
        .filter(({ droppedAt }) => droppedAt === null)
        .map(({ digests }) => Object.keys(digests as object).toSorted())
    expect((await say('reviewer', number, '/trueup approve')).signs).toEqual(['eyes', '-1'])
    await world.work()
    const part = await say('reviewer', number, '/trueup approve a -e production')
    expect(part.answers[0]).toContain('approvals are of whole environments, and this leaves out production/b')
    expect(await standing()).toEqual([])
    await say('reviewer', number, '/trueup approve -e staging')
    expect(await standing()).toEqual([['staging/a']])
    expect((await say('second', number, '/trueup apply')).answers[0]).toMatch(/no: 1 more approval/)
    await say('reviewer', number, '/trueup approve -e production')
    expect(await standing()).toEqual([['production/a', 'production/b', 'staging/a']])
    expect((await say('author', number, '/trueup approve')).answers[0]).toMatch(/author of/)
    // A head that came before the comment was written, and whose plans nobody had seen.
    await there.push('approved', { 'a/value': '7' })
    const blind = await say('second', number, '/trueup approve')
    expect(blind.answers[0]).toMatch(/no plans of \w{10} stood there when you wrote/)
    await world.work()
    await say('reviewer', number, '/trueup approve')
    const merged = await say('second', number, '/trueup apply')
    expect(merged.answers[0]).toMatch(/merged as \w{10}/)
    await world.work()
    expect(world.things.get('production/a')).toBe('7')
    expect((await say('second', number, '/trueup plan')).answers[0]).toMatch(/\d+ is merged/)
  })

  it('looks after what was deployed: drift, heal, unlock, retry, rollback', async () => {
    const number = await propose('deployed', { 'b/value': '8' })
    await say('reviewer', number, '/trueup approve')
    world.failing.add('production/b')
    await say('second', number, '/trueup apply')
    await world.work()
    world.failing.clear()
    expect((await say('second', number, '/trueup retry')).answers[0]).toMatch(/production\/b\*\*: tried again/)
    await world.work()
    expect(world.things.get('production/b')).toBe('8')
    expect((await say('second', number, '/trueup retry')).answers[0]).toContain('nothing has failed')

    world.things.set('production/b', 'by hand')
    expect((await say('second', number, '/trueup drift')).answers[0]).toContain('looking for drift')
    await world.work()
    expect((await say('second', number, '/trueup heal')).answers[0]).toContain('this takes deployer')
    await role('second', 'deployer')
    expect((await say('second', number, '/trueup heal')).answers[0]).toMatch(/production\/b\*\*: (healing|no: )/)
    await world.work()
    expect(world.things.get('production/b')).toBe('8')

    const { store } = there.harness
    const { id: stackId } = await stackOf(there.harness, 'production/b')
    const lock = { stackId, workspace: 'default', lockId: 'l1', info: { ID: 'l1' }, runId: null, userId: null }
    await store.transaction((tx) => takeStateLock(tx, lock))
    expect((await say('second', number, '/trueup unlock')).answers[0]).toContain('unlocked default')
    expect(await getStateLock(store.db, stackId, 'default')).toBeUndefined()

    const back = await say('second', number, '/trueup rollback --reason it @all broke')
    const [, opened] = /opened !(\d+)/.exec(back.answers[0] ?? '') ?? []
    expect(await mrAt(Number(opened))).toMatchObject({
      origin: 'rollback',
      authorId: there.harness.users.second.id,
      originDetail: { reason: 'it @all broke' },
    })
    await world.work()
    await there.look()
    await world.work()
    await role('second', 'maintainer')
  })

  it('lets go on what waits, with the plan that stood there', async () => {
    const number = await propose('unapproved', { 'a/value': '9' })
    // By a person, past the gate: what is protected waits.
    await there.mergeThere('second', number)
    await there.look()
    await world.work()
    const [run] = await runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })
    const outcome = double.state.comments.find(
      (its) => its.number === number && its.body.startsWith('<!-- trueup:deployment -->'),
    )
    expect(outcome?.body).toMatch(/waiting for approval[^]*thing: update/)
    expect((await say('reviewer', number, '/trueup apply')).answers[0]).toContain('this takes deployer')
    await role('reviewer', 'deployer')
    expect((await say('reviewer', number, '/trueup apply staging/a')).answers[0]).toBeDefined()
    expect((await say('reviewer', number, '/trueup apply production/a')).answers[0]).toContain(`goes on`)
    await world.work()
    expect(run).toBeDefined()
    expect(world.things.get('production/a')).toBe('9')
  })
})

it('needs the right that the same thing needs by the API', () => {
  const same: { readonly [verb in keyof typeof ACTS]: Action } = {
    plan: 'mr.plan',
    approve: 'mr.approve',
    apply: 'mr.merge',
    heal: 'drift.heal',
    drift: 'drift.check',
    rollback: 'rollback.create',
    retry: 'run.retry',
    unlock: 'state.unlock',
    help: 'mr.read',
  }
  const needs = (verb: keyof typeof ACTS, mrState: 'open' | 'merged'): string =>
    ACTS[verb].needs({ said: { mrState } } as Parameters<(typeof ACTS)['plan']['needs']>[0])
  for (const [verb, action] of Object.entries(same) as [keyof typeof ACTS, Action][])
    expect([verb, needs(verb, 'open')]).toEqual([verb, ACTIONS[action].who])
  expect(needs('apply', 'merged')).toBe(ACTIONS['run.approve'].who)
})
