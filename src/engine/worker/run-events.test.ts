import { afterEach, beforeEach, expect, it } from 'vitest'
import { setVariable } from '../stacks/change-variable.ts'
import { checkNow } from '../drift/actions.ts'
import { approve, audited, bootstrap, configOf, merge, propose, stackOf } from '../testing/flows.ts'
import { type EngineHarness, startHarness } from '../testing/harness.ts'
import { createWorld, type World } from '../testing/world.ts'
import { noteEgress } from './run-events.ts'
import { runsOf } from '../testing/flows.ts'

let harness: EngineHarness
let world: World
beforeEach(async () => {
  harness = await startHarness()
  world = createWorld(harness)
})
afterEach(() => harness.stop())

const set = (name: string, phase: 'plan' | 'apply', secret: boolean) =>
  setVariable(harness.engine.parts, {
    repositoryId: harness.repositoryId,
    name,
    value: 'canary',
    environment: null,
    stack: null,
    phase,
    secret,
    actorId: harness.users.author.id,
  })

it('each run that was given secrets says which, by name and phase; checks that repeat say it once a day', async () => {
  await bootstrap(harness, world, { 'trueup.yaml': configOf({ app: {} }), 'app/value': '1' })
  expect(await audited(harness, 'run.secrets')).toEqual([])
  await set('LOOK', 'plan', true)
  await set('WRITE', 'apply', true)
  await set('PLAIN', 'plan', false)
  const mr = await propose(harness, 'two', { 'app/value': '2' })
  await world.work()
  await approve(harness, mr.id)
  await merge(harness, mr.id)
  await world.work()
  const events = await audited(harness, 'run.secrets')
  const told = events.map(({ data }) => data as { phase: string; kind: string; variables: string[] })
  expect(told).toContainEqual(expect.objectContaining({ phase: 'plan', kind: 'preview', variables: ['LOOK'] }))
  expect(told).toContainEqual(expect.objectContaining({ phase: 'apply', kind: 'deploy', variables: ['WRITE'] }))
  expect(JSON.stringify(events)).not.toMatch(/canary|PLAIN/)

  const { id: stackId } = await stackOf(harness, 'production/app')
  const check = async (): Promise<number> => {
    await checkNow(harness.engine.parts, { stackId, actorId: harness.users.author.id })
    await world.work()
    return (await audited(harness, 'run.secrets')).filter(({ data }) => (data as { kind: string }).kind === 'drift')
      .length
  }
  expect(await check()).toBe(1)
  expect(await check()).toBe(1)
  harness.clock.advance(25 * 3_600_000)
  expect(await check()).toBe(2)
})

it('what tools were not let to reach is an event of the run', async () => {
  await bootstrap(harness, world, { 'trueup.yaml': configOf({ app: {} }), 'app/value': '1' })
  const [run] = await runsOf(harness, { kind: 'deploy' })
  await noteEgress(harness.engine.parts, run!, [])
  await noteEgress(harness.engine.parts, run!, ['169.254.169.254:80'])
  expect(await audited(harness, 'run.egress_refused')).toMatchObject([
    { subject: run!.id, data: { targets: ['169.254.169.254:80'], kind: 'deploy' } },
  ])
})
