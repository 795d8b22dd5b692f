import { existsSync, lstatSync, readFileSync, readlinkSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import { type AgentWorld, configOf, startAgentWorld } from './world.ts'

let world: AgentWorld
let motd: string
/** Leads out of the repository, to where nothing is. */
let zone: string

beforeAll(async () => {
  world = await startAgentWorld({}, (target) => configOf(target, '2s').replace('with: {', 'with: { links: keep,'))
  motd = join(world.target, 'motd')
  zone = join(world.target, 'zone')
  symlinkSync('/nowhere/UTC', join(world.server.directory, 'clone/web/zone'))
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
    180_000,
  )
const told = async (): Promise<{ number: number; outcome: string; addresses: string[] }[]> => {
  const { body } = await world.server.request('GET', '/api/v1/audit?action=drift.healed_alone')
  return (body as { items: { data: never }[] }).items.map(({ data }) => data)
}

it('heals while the server is away, and tells of it in its order when it is back', async () => {
  await world.server.away(async () => {
    writeFileSync(motd, 'by hand\n')
    await holds('one\n')
    unlinkSync(zone)
    await until(
      async () => lstatSync(zone, { throwIfNoEntry: false }) && readlinkSync(zone),
      (target) => target === '/nowhere/UTC',
      180_000,
    )
  })
  const reports = await until(told, (items) => items.length === 2, 180_000)
  expect(reports.toSorted((a, b) => a.number - b.number)).toMatchObject([
    { number: 1, outcome: 'healed' },
    { number: 2, outcome: 'healed', addresses: [zone] },
  ])
  // And it is the server's agent again.
  await world.change('two')
  await holds('two\n')
  expect(await told()).toHaveLength(2)
})
