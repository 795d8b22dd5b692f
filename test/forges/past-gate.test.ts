import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audited, configOf, judged, runsOf, unmet } from '../../src/engine/testing/flows.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { findMergeRequestByNumber } from '../../src/store/changes/merge-requests.ts'
import { type GiteaDouble, startGiteaDouble } from './gitea/double.ts'
import { giteaAsks } from './gitea/real.ts'
import type { ConnectedWorld } from './subjects/connected.ts'
import { giteaWorld, placeOf } from './subjects/gitea.ts'

let double: GiteaDouble
let there: ConnectedWorld
let world: World
const config = (required: number, tier: 'production' | 'development' = 'production'): string => {
  const production = { tier, ...(required > 0 && { approvals: { required } }) }
  return configOf({ a: {}, b: {} }, { environments: { production } })
}
beforeAll(async () => {
  double = await startGiteaDouble()
  there = await giteaWorld(placeOf(double))
  world = createWorld(there.harness)
  await there.push('main', { 'trueup.yaml': config(1), 'a/value': '1', 'b/value': '1' })
  await there.look()
  await world.adopt()
}, 120_000)
afterAll(async () => {
  await there?.stop()
  await double?.close()
})

const open = (sourceBranch: string): Promise<number> =>
  there.as('author').open({ sourceBranch, title: `Change ${sourceBranch}` })
const seen = async (): Promise<void> => {
  await there.look()
  await world.work()
}
const approve = (number: number): Promise<void> => there.as('reviewer').review(number, 'approve', '')
const stateOf = async (number: number) =>
  (await findMergeRequestByNumber(there.harness.store.db, there.harness.repositoryId, number))!.state
/** Has it merged by a person on the forge, and gives what waits for an approval then. */
async function mergedThere(number: number): Promise<(string | null)[]> {
  await there.mergeThere('second', number)
  await seen()
  expect(await stateOf(number)).toBe('merged')
  const waiting = await runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })
  return waiting.map(({ reason }) => reason)
}
/** By a person, past everything: what follows begins from here. */
async function nothingWaits(files: { [path: string]: string }): Promise<void> {
  await there.push('main', files)
  await seen()
  await world.adopt()
  expect(await runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })).toEqual([])
}

describe('what a person merges on the forge', { timeout: 240_000 }, () => {
  it('goes on where it is what was planned and approved', async () => {
    await there.push('as-planned', { 'a/value': '2' })
    const number = await open('as-planned')
    await seen()
    await approve(number)
    await there.look()
    expect(await mergedThere(number)).toEqual([])
    expect(world.things.get('production/a')).toBe('2')
  })

  it('waits where its head has never been planned, whatever was approved of the one before', async () => {
    await there.push('moved-on', { 'a/value': '3' })
    const number = await open('moved-on')
    await seen()
    await approve(number)
    await there.look()
    // Pushed and merged before anybody looks, with rules of its own.
    await there.push('moved-on', { 'a/value': '3', 'b/value': '3', 'trueup.yaml': config(0, 'development') })
    expect(await mergedThere(number)).toEqual(['not_approved', 'not_approved'])
    expect([world.things.get('production/a'), world.things.get('production/b')]).toEqual(['2', '1'])
    await nothingWaits({ 'trueup.yaml': config(1), 'a/value': '2', 'b/value': '1' })
  })

  it('waits where nobody had seen it at all', async () => {
    await there.push('unseen', { 'a/value': '4', 'trueup.yaml': config(0, 'development') })
    expect(await mergedThere(await open('unseen'))).toEqual(['not_approved'])
    expect(world.things.get('production/a')).toBe('2')
    await nothingWaits({ 'trueup.yaml': config(1), 'a/value': '2' })
  })

  it('waits where it was planned for a branch with other rules', async () => {
    await there.push('lax', { 'trueup.yaml': config(0, 'development') })
    await there.push('retargeted', { 'a/value': '5', 'trueup.yaml': config(0, 'development') })
    const ask = giteaAsks(double.address)
    const { author } = placeOf(double).accounts
    const body = { head: 'retargeted', base: 'lax', title: 'Change retargeted' }
    const { number } = await ask(author, 'POST', '/repos/owner/shop/pulls', body)
    await seen()
    await ask(author, 'PATCH', `/repos/owner/shop/pulls/${number}`, { base: 'main' })
    expect(await mergedThere(number)).toEqual(['not_approved'])
    expect(world.things.get('production/a')).toBe('2')
    await nothingWaits({ 'trueup.yaml': config(1), 'a/value': '2' })
  })

  it('is judged by the rules before a push that loosens them, until somebody approves these', async () => {
    const before = (await audited(there.harness, 'deploy.rules_held')).length
    await there.push('main', { 'trueup.yaml': config(0, 'development') })
    await seen()
    // The second push would be free by what the first has brought.
    await there.push('main', { 'a/value': '7' })
    await seen()
    const waiting = () => runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })
    expect((await waiting()).map(({ reason }) => reason)).toEqual(['not_approved'])
    expect(world.things.get('production/a')).toBe('2')

    // So would a merge request, which is told by whose rules it is judged, and carries the change of the rules.
    await there.push('after-it', { 'b/value': '7' })
    const number = await open('after-it')
    await seen()
    const mr = (await findMergeRequestByNumber(there.harness.store.db, there.harness.repositoryId, number))!
    expect(await unmet(there.harness, mr.id)).toContain('approvals')
    expect((await judged(there.harness, mr.id)).outcome.requirements).toContainEqual(
      expect.objectContaining({
        name: 'config',
        message: expect.stringMatching(/^the rules of main were changed past/),
      }),
    )
    await approve(number)
    await there.look()
    await there.mergeThere('second', number)
    await seen()
    expect(world.things.get('production/b')).toBe('7')
    expect(await audited(there.harness, 'deploy.rules_held')).toHaveLength(before + 2)

    // Approved, they are the rules: what is pushed now waits for nobody.
    await there.push('main', { 'b/value': '8' })
    await seen()
    expect(world.things.get('production/b')).toBe('8')
    await there.push('main', { 'trueup.yaml': config(1), 'a/value': '2', 'b/value': '1' })
    await there.look()
    await world.adopt()
    expect(await waiting()).toEqual([])
  })

  it('waits where the rules have become stricter since', async () => {
    await there.push('in-time', { 'a/value': '6' })
    const late = await open('in-time')
    await there.push('stricter', { 'trueup.yaml': config(2) })
    const stricter = await open('stricter')
    await seen()
    await approve(late)
    await approve(stricter)
    await there.look()
    await there.mergeThere('second', stricter)
    expect(await mergedThere(late)).toEqual(['not_approved'])
    expect(world.things.get('production/a')).toBe('2')
  })
})
