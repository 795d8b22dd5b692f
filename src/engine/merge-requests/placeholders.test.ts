import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Grant } from '../../domain/wire/worker-protocol.ts'
import { approve, approveWaiting, configOf, merge, mrOf, propose, runsOf, stackOf } from '../testing/flows.ts'
import { type EngineHarness, startHarness } from '../testing/harness.ts'
import { type PuppetScript, workAll } from '../testing/puppet.ts'
import { createWorld, type World } from '../testing/world.ts'

const SECRET = 'dbpass-of-the-network'
const STACKS = { net: {}, app: { inputs: { password: 'net.password', size: 'net.size' } } }

let harness: EngineHarness
let world: World
let script: PuppetScript
/** What previews of `app` were given. */
let given: Grant['inputs'][]
beforeEach(async () => {
  harness = await startHarness()
  world = createWorld(harness)
  given = []
  script = {
    async plan(grant) {
      if (grant.kind === 'preview' && grant.stack.name === 'app') given.push(grant.inputs)
      return await world.script.plan(grant)
    },
    async apply(grant) {
      const result = await world.script.apply!(grant)
      const outputs = { password: { value: SECRET, sensitive: true }, size: { value: 3, sensitive: false } }
      return grant.stack.name === 'net' ? { ...result, outputs } : result
    },
  }
})
afterEach(() => harness.stop())

async function deployedWith(more: Parameters<typeof configOf>[1] = {}): Promise<void> {
  await harness.push('main', { 'trueup.yaml': configOf({ net: {} }, more), 'net/value': '1' })
  await workAll(harness, script)
  for (const run of await runsOf(harness, { state: 'awaiting_approval' })) await approveWaiting(harness, run)
  await workAll(harness, script)
  const mr = await propose(harness, 'app', { 'trueup.yaml': configOf(STACKS, more), 'app/value': 'a' })
  await land(mr.id)
  expect(world.things.get('production/app')).toContain(SECRET)
  given = []
}
async function land(id: string): Promise<void> {
  await workAll(harness, script)
  await approve(harness, id)
  await workAll(harness, script)
  await approve(harness, id)
  await merge(harness, id)
  await workAll(harness, script)
}
const latest = async () => (await runsOf(harness, { kind: 'preview', stack: 'production/app' }))[0]!
const SEEN = { password: { value: SECRET, sensitive: true }, size: { value: 3 } }
const HELD = { password: { value: 'placeholder-for-password', sensitive: true }, size: { value: 3 } }

it('gives a change what is sensitive once somebody else has approved it, and applies what was approved then', async () => {
  await deployedWith()
  const mr = await propose(harness, 'steal', { 'app/value': 'b' })
  await workAll(harness, script)
  expect(given).toMatchObject([HELD])
  expect((await latest()).plan?.findings).toMatchObject([{ code: 'placeholder_inputs', severity: 'warning' }])
  expect(JSON.stringify((await latest()).spec)).not.toContain(SECRET)
  await approve(harness, mr.id)
  await workAll(harness, script)
  expect(given).toMatchObject([HELD, SEEN])
  expect((await latest()).plan?.findings).toEqual([])
  // The first approval was of another plan.
  await expect(merge(harness, mr.id)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
  await approve(harness, mr.id)
  await merge(harness, mr.id)
  await workAll(harness, script)
  expect(world.things.get('production/app')).toBe(`b|password=${SECRET}|size=3`)
  expect(await stackOf(harness, 'production/app')).toMatchObject({ status: 'in_sync' })
})

it('keeps a plan with the values while the source is the same, and takes them from another', async () => {
  await deployedWith()
  const mr = await propose(harness, 'two', { 'app/value': 'b' })
  await workAll(harness, script)
  await approve(harness, mr.id)
  await workAll(harness, script)
  await harness.push('two', { 'elsewhere/note': 'x' })
  await workAll(harness, script)
  expect(given).toMatchObject([HELD, SEEN])
  await harness.push('two', { 'app/value': 'c' })
  await workAll(harness, script)
  expect(given).toMatchObject([HELD, SEEN, HELD])
  expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open' })
})

it('gives them to code of the target branch, and where nothing has to be approved', async () => {
  const environments = { production: { approvals: { required: 0 } } }
  await deployedWith({ environments })
  await propose(harness, 'open', { 'app/value': 'b' })
  await workAll(harness, script)
  expect(given).toMatchObject([SEEN])
})

it('keeps no sensitive value in the database for a plan that foretells', async () => {
  await deployedWith()
  const hash = (text: string) => ({ value: text, sensitive: true })
  const foretold = async (grant: Grant) => {
    const plan = await script.plan(grant)
    return grant.stack.name === 'net'
      ? { ...plan, outputs: { password: hash('other'), size: { value: 4, sensitive: false } } }
      : plan
  }
  await propose(harness, 'both', { 'net/value': '2' })
  await workAll(harness, { ...script, plan: foretold })
  const runs = await runsOf(harness, { kind: 'preview' })
  expect(JSON.stringify(runs.map(({ spec }) => spec))).not.toContain(SECRET)
})
