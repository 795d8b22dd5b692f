import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Source } from '../runs/source.ts'
import { allow, type SignedWorld, signedWorld } from './testing.ts'

const CONFIG = `version: 1
environments: { production: { workers: edge } }
stacks:
  - { path: web, driver: files, with: { target: /srv/web } }
`
/** Does not get smaller by being packed. */
const LARGE = Array.from({ length: 4_000 }, (_, at) => Math.sin(at).toString(36)).join('\n')

let world: SignedWorld
let key: string
let source: Source

beforeAll(async () => {
  world = signedWorld()
  key = world.key('good')
  const signers = join(world.directory, 'allowed')
  allow(signers, key)
  source = await world.open({ signers: { ssh: signers } })
})
afterAll(() => world.close())

const commit = (files: { [path: string]: string }) => world.commit({ 'trueup.yaml': CONFIG, ...files }, { key })
/** Fetches it, and applies it where it is not refused. */
async function deploy(oid: string): Promise<string> {
  const grant = world.grant(oid)
  const fetched = await world.fetch(source, grant)
  if (typeof fetched === 'string') {
    await source.left(grant)
    return fetched
  }
  source.applying(grant)
  source.applied(grant, { untouched: false, broken: false })
  await source.left(grant)
  return fetched.read('web/motd')
}
/** Those that nothing needs go a moment later. */
const packs = () => expect.poll(() => packNames().length, { timeout: 30_000 })
const packNames = () =>
  readdirSync(join(world.directory, 'agent0', 'git', 'desired.git', 'objects', 'pack')).filter((name) =>
    name.endsWith('.pack'),
  )
const askedFor = (oid: string) => world.asked.filter((path) => path.includes(`/packs/${oid}`))

it('only what has changed is fetched, as differences to what is held; the rest is where it was', async () => {
  const one = commit({ 'web/motd': 'one', 'web/large': LARGE })
  expect(await deploy(one)).toBe('one')
  const two = commit({ 'web/motd': 'two', 'web/large': `${LARGE}\nmore` })
  const thin = world.thin(two, one)
  expect(thin.length).toBeLessThan(LARGE.length / 10)
  world.packs.set(`${two}?have=${one}`, thin)
  expect(await deploy(two)).toBe('two')
  expect(askedFor(two)).toEqual([expect.stringContaining(`?have=${one}`)])
  await packs().toBe(2)
})

it('a difference to what is not here, or that lacks something, brings nothing that was not signed', async () => {
  const held = world.git('rev-parse', 'main')
  const three = commit({ 'web/motd': 'three' })
  // The blob is left out: the pack is well-formed, and the commit is not all there.
  world.packs.set(`${three}?have=${held}`, world.thin(three, held, world.git('rev-parse', `${three}:web/motd`)))
  expect(await deploy(three)).toBe('PACK_INVALID')
  // Cut short, it is no pack; the whole one is asked for.
  world.packs.set(`${three}?have=${held}`, world.thin(three, held).subarray(0, 60))
  expect(await deploy(three)).toBe('three')
  expect(askedFor(three).at(-1)).toMatch(/\/packs\/[0-9a-f]+$/)
  // What it replaced is needed by nothing.
  await packs().toBe(1)
})

it('after so many differences a whole pack takes their place', async () => {
  let before = world.git('rev-parse', 'main')
  for (let at = 1; at <= 12; at++) {
    const next = commit({ 'web/motd': `step ${at}` })
    world.packs.set(`${next}?have=${before}`, world.thin(next, before))
    expect(await deploy(next)).toBe(`step ${at}`)
    await packs().toBeLessThanOrEqual(10)
    before = next
  }
  await packs().toBeLessThan(5)
})
