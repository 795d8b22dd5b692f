import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import { type AgentWorld, configOf, startAgentWorld } from './world.ts'

let world: AgentWorld
let motd: string

beforeAll(async () => {
  world = await startAgentWorld({}, (target) => configOf(target, '2s'))
  motd = join(world.target, 'motd')
  await world.start({ aloneAfterMs: 200 })
  await world.change('one')
  await world.ended(({ kind, state }) => kind === 'deploy' && state === 'succeeded')
  await holds('one\n')
})
afterAll(() => world.close())

const holds = (text: string) =>
  until(
    async () => (existsSync(motd) ? readFileSync(motd, 'utf8') : null),
    (seen) => seen === text,
    90_000,
  )
const told = async (): Promise<{ number: number; outcome: string; addresses: string[] }[]> => {
  const { body } = await world.server.request('GET', '/api/v1/audit?action=drift.healed_alone')
  return (body as { items: { data: never }[] }).items.map(({ data }) => data)
}

it('heals while the server is away, and tells of it in its order when it is back', async () => {
  await world.server.away(async () => {
    for (const text of ['by hand\n', 'by hand again\n']) {
      writeFileSync(motd, text)
      await holds('one\n')
    }
  })
  const reports = await until(told, (items) => items.length === 2, 90_000)
  expect(reports.toSorted((a, b) => a.number - b.number)).toMatchObject([
    { number: 1, outcome: 'healed' },
    { number: 2, outcome: 'healed' },
  ])
  // And it is the server's agent again.
  await world.change('two')
  await holds('two\n')
  expect(await told()).toHaveLength(2)
})
