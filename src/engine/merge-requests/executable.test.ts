import { afterEach, beforeEach, expect, it } from 'vitest'
import { setMember } from '../../store/people/members.ts'
import { addTeamMember, createTeam } from '../../store/people/teams.ts'
import { approve, configOf, judged, mrOf, propose, runsOf, unmet } from '../testing/flows.ts'
import { type EngineHarness, type Files, startHarness } from '../testing/harness.ts'
import { createWorld, type World } from '../testing/world.ts'
import { previewsOf } from './previews.ts'

let harness: EngineHarness
let world: World
beforeEach(async () => {
  harness = await startHarness()
  world = createWorld(harness)
})
afterEach(() => harness.stop())

const RULE = { executable: { from: ['team:platform', 'role:maintainer'] } }
const ENVIRONMENTS = { lab: {} }
const role = (who: 'author' | 'reviewer' | 'second', is: 'contributor' | 'maintainer') =>
  harness.store.transaction((tx) =>
    setMember(tx, { repositoryId: harness.repositoryId, userId: harness.users[who].id, role: is }),
  )

const config = (stacks: object, rule: object = RULE): string =>
  configOf(stacks as { [name: string]: object }, { environments: ENVIRONMENTS, ...rule } as object)

/** Deploys nothing: the stacks stand on main under the rule, and a contributor changes them. */
async function changed(before: Files, change: Files): Promise<string> {
  await harness.push('main', before)
  await harness.settle()
  for (const who of ['author', 'reviewer'] as const) await role(who, 'contributor')
  return (await propose(harness, 'change', change)).id
}

interface Row {
  driver: string
  stack?: object
  before: Files
  change?: Files
  more?: object
  words?: string
}

/** All of a table at once, each as a stack with its number as name, and its files below that. */
function together(rows: readonly Row[]): [Files, Files] {
  const below = (files: Files, at: number): Files =>
    Object.fromEntries(Object.entries(files).map(([path, content]) => [path.replace('app', `s${at}`), content]))
  const stacks = (with_: (row: Row) => object): string =>
    config(Object.fromEntries(rows.map((row, at) => [`s${at}`, { driver: row.driver, with: {}, ...with_(row) }])))
  const before = Object.assign({}, ...rows.map((row, at) => below(row.before, at))) as Files
  const change = Object.assign({}, ...rows.map((row, at) => below(row.change ?? {}, at))) as Files
  return [
    { 'trueup.yaml': stacks(({ stack }) => stack ?? {}), ...before },
    { 'trueup.yaml': stacks(({ stack, more }) => ({ ...stack, ...more })), ...change },
  ]
}

const noteOf = async (id: string, name = 'app'): Promise<string | null> =>
  previewsOf(await mrOf(harness, id))[`lab/${name}`]?.note ?? null
const previews = async (): Promise<number> => (await runsOf(harness, { kind: 'preview' })).length
const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n'
const files = (at: number) => ({ target: `/srv/app${at}` })

/** By driver: what stands there, and a change that brings something executed, with its words. */
const BRINGS: readonly Row[] = [
  { driver: 'command', stack: { with: { plan: './run', apply: 'true' } }, before: { 'app/run': 'true' }, change: { 'app/run': 'false' }, words: 'run' },
  { driver: 'terraform', before: { 'app/main.tf': 'locals {}\n' }, change: { 'app/main.tf': 'data "external" "x" {}\n' }, words: 'the external data source' },
  { driver: 'terraform', before: { 'app/main.tf': 'locals {}\n' }, change: { 'app/main.tf': 'module "m" { source = "x/m/a" }\n' }, words: 'x/m/a in' },
  { driver: 'terraform', before: { 'app/main.tf': 'module "m" { source = "../m" }\n', 'm/a.tf': 'locals {}\n' }, change: { 'm/a.tf': 'resource "a" "b" {\n  provisioner "local-exec" {}\n}\n' }, words: 'a provisioner in m/a.tf' },
  { driver: 'ansible', before: { 'app/site.yml': '- hosts: all\n' }, change: { 'app/library/x.py': '1\n' }, words: 'library/x.py' },
  { driver: 'ansible', before: { 'app/site.yml': '- hosts: all\n' }, change: { 'app/site.yml': '- hosts: all\n  tasks:\n    - shell: a\n' }, words: 'commands in' },
  { driver: 'puppet', before: { 'app/site.pp': 'notice(1)\n' }, change: { 'app/site.pp': 'generate("/bin/true")\n' }, words: 'commands in' },
  { driver: 'chef', stack: { with: { runList: ['a'] } }, before: { 'app/cookbooks/a/a.json': '{}' }, change: { 'app/cookbooks/a/recipes/default.rb': '1\n' }, words: 'recipes/default.rb' },
  { driver: 'kubernetes', before: { 'app/a.yaml': MAP }, change: { 'app/kube.yaml': 'kind: Config\nusers: [{ user: { exec: { command: a } } }]\n' }, words: 'a credential program' },
  { driver: 'files', stack: { with: files(1) }, before: { 'app/a': '1' }, change: { 'app/a': '#!/bin/sh\n' }, words: '/a' },
  { driver: 'files', stack: { with: files(2) }, before: { 'app/a': '1' }, more: { with: { ...files(2), reload: 'true' } }, words: 'with.reload' },
  { driver: 'files', stack: { with: files(3) }, before: { 'app/a': '1' }, change: { 'app/a': '2' }, more: { checks: ['true'] }, words: 'brings what is executed: checks' },
  { driver: 'cloudformation', before: { 'app/template.yaml': 'Resources: {}\n' }, more: { variables: { LD_PRELOAD: './x' } }, words: 'variables' },
] // biome-ignore format: a table

it('of every driver is not planned before somebody of the rule vouches for it', async () => {
  const id = await changed(...together(BRINGS))
  expect(await previews()).toBe(0)
  for (const [at, { words }] of BRINGS.entries()) expect(await noteOf(id, `s${at}`), `s${at}`).toContain(words)
  expect(await unmet(harness, id)).toContain('plans')
  expect((await judged(harness, id)).outcome.requirements).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('s0, which brings what is executed: s0/run') }),
  )
  // The word of somebody who may vote, and not vouch for this.
  await approve(harness, id)
  expect(await previews()).toBe(0)
  await role('reviewer', 'maintainer')
  await approve(harness, id)
  expect(await previews()).toBe(BRINGS.length)
})

/** What is compared and not executed. */
const QUIET: readonly Row[] = [
  { driver: 'terraform', before: { 'app/main.tf': 'locals {}\n' }, change: { 'app/main.tf': 'locals { a = 1 }\n' } },
  { driver: 'terraform', before: { 'app/main.tf': 'terraform { required_providers { a = { source = "x/a" } } }\n' }, change: { 'app/main.tf': 'terraform { required_providers { a = { source = "x/a" } } }\nlocals {}\n' } },
  { driver: 'ansible', before: { 'app/site.yml': '- hosts: all\n' }, change: { 'app/group_vars/all.yml': 'a: 1\n' } },
  { driver: 'puppet', before: { 'app/site.pp': 'notice(1)\n' }, change: { 'app/site.pp': 'notice(2)\n' } },
  { driver: 'kubernetes', before: { 'app/a.yaml': MAP }, change: { 'app/a.yaml': `${MAP}data: { a: b }\n` } },
  { driver: 'files', stack: { with: files(1) }, before: { 'app/a': '1' }, change: { 'app/a': '2' } },
] // biome-ignore format: a table

it('is told from what is only compared, which is planned at once', async () => {
  const id = await changed(...together(QUIET))
  for (const at of QUIET.keys()) expect(await noteOf(id, `s${at}`), `s${at}`).toBeNull()
  expect(await previews()).toBe(QUIET.length)
})

it('counts members of teams, whoever has pushed, and files that were there before their stack', async () => {
  const team = await harness.store.transaction((tx) => createTeam(tx, { name: 'platform' }))
  const before = { 'trueup.yaml': config({ app: { driver: 'files', with: files(1) } }), 'app/a': '1' }
  const id = await changed({ ...before, 'late/x.tf': 'data "external" "x" {}\n' }, { 'app/a': '#!/bin/sh\n' })
  expect(await noteOf(id)).toContain('app/a')
  await harness.store.transaction((tx) => addTeamMember(tx, team.id, harness.users.author.id))
  await harness.push('change', { 'app/b': '#!/bin/sh\n' })
  await harness.settle()
  expect(await noteOf(id)).toBeNull()
  await role('second', 'contributor')
  await harness.push('change', { 'app/c': '1' }, { by: 'second' })
  await harness.settle()
  expect(await noteOf(id)).toContain('app/a')
  const stacks = { app: { driver: 'files', with: files(1) }, late: { driver: 'terraform', with: {} } }
  await harness.push('new', { 'trueup.yaml': config(stacks) }, { by: 'second' }) // biome-ignore format: one push
  const mr = await harness.forge.changes.open({ repositoryId: harness.repositoryId, sourceBranch: 'new', targetBranch: 'main', title: 'New', description: '', authorId: harness.users.second.id }) // biome-ignore format: one call
  await harness.settle()
  expect(previewsOf(await mrOf(harness, mr.id))['lab/late']?.note).toContain('the external data source in late/x.tf')
})

it('is a rule like others: its change is approved by the rules before', async () => {
  await harness.push('main', { 'trueup.yaml': config({ app: {} }), 'app/value': '1' })
  await world.adopt()
  await role('author', 'contributor')
  const mr = await propose(harness, 'rule', { 'trueup.yaml': config({ app: {} }, {}), 'app/value': '2' })
  expect((await judged(harness, mr.id)).outcome.requirements.map(({ message }) => message).join()).toContain(
    'executable',
  )
  expect(previewsOf(await mrOf(harness, mr.id))['lab/app']).toMatchObject({ held: 'executable' })
})
