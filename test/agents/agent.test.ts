import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import { type AgentWorld, startAgentWorld } from './world.ts'

let world: AgentWorld
let motd: string
const content = () => (existsSync(motd) ? readFileSync(motd, 'utf8') : null)

beforeAll(async () => {
  world = await startAgentWorld()
  motd = join(world.target, 'motd')
  await world.start()
})
afterAll(() => world.close())

/** The run of a kind that a change brings about, when it has ended. */
const after = async (kind: string, change: () => Promise<unknown>) => {
  const before = new Set((await world.runs()).map(({ id }) => id))
  await change()
  return await world.ended((run) => run.kind === kind && !before.has(run.id))
}
const deployment = (change: () => Promise<unknown>) => after('deploy', change)

it('refuses what nobody signed, and applies what the forge signed', async () => {
  const first = await world.ended(({ kind }) => kind === 'deploy')
  expect(first).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNSIGNED' } })
  expect(content()).toBe(null)

  expect(await deployment(() => world.change('one'))).toMatchObject({ state: 'succeeded', error: null })
  expect(content()).toBe('one\n')
  expect(await deployment(() => world.change('two'))).toMatchObject({ state: 'succeeded', error: null })
  expect(content()).toBe('two\n')
})

it('heals drift with what it holds', async () => {
  writeFileSync(motd, 'by hand\n')
  await until(
    async () => content(),
    (text) => text === 'two\n',
  )
  expect(await world.ended(({ kind }) => kind === 'heal')).toMatchObject({ state: 'succeeded' })
})

it('plans no merge request that nobody signed', async () => {
  const run = await after('preview', () => world.open('unsigned', null))
  expect(run).toMatchObject({ state: 'failed', error: { code: 'COMMIT_UNSIGNED' } })
})

it('refuses once its host no longer trusts the signer', async () => {
  const allowed = readFileSync(world.allowedSigners, 'utf8')
  writeFileSync(world.allowedSigners, allowed.replace(/^forge.*\n/, ''))
  expect(await deployment(() => world.change('three'))).toMatchObject({
    state: 'failed',
    error: { code: 'SIGNER_UNKNOWN' },
  })
  expect(content()).toBe('two\n')
  writeFileSync(world.allowedSigners, '')
  appendFileSync(world.allowedSigners, allowed)
  expect(await deployment(() => world.change('four'))).toMatchObject({ state: 'succeeded' })
  expect(content()).toBe('four\n')
})
