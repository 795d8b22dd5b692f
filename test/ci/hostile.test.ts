import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { makeKey } from '../../src/cli/ci/key.ts'
import { statesIn } from './estate.ts'
import { openProject, type Project } from './project.ts'

let project: Project
let env: { TRUEUP_CI_KEY: string }
beforeAll(async () => {
  project = await openProject()
  env = { TRUEUP_CI_KEY: await makeKey() }
}, 60_000)
afterAll(() => project?.close())

/** Stacks of files, and those that run commands, each below a directory of its own. */
const config = (names: readonly string[], commands: { [name: string]: object } = {}): string =>
  stringify({
    version: 1,
    environments: { live: {} },
    stacks: [
      ...names.map((name) => ({
        path: name,
        driver: 'files',
        environments: ['live'],
        with: { target: project.at(name) },
      })),
      ...Object.entries(commands).map(([path, its]) => ({
        path,
        driver: 'command',
        environments: ['live'],
        with: its,
      })),
    ],
  })

/** Opens a merge request, has its pipeline plan it, and merges it. */
async function merged(
  branch: string,
  files: { [path: string]: string | null },
  how: { env?: Record<string, string>; before?: (number: number) => Promise<void> } = {},
): Promise<string> {
  const from = (await project.double.git.tip('main')) ?? undefined
  const head = await project.push(branch, files, from)
  const number = await project.open(branch)
  const planned = await project.job(['plan'], { commit: head, number, env: how.env ?? env })
  expect(planned.code, planned.err).toBe(2)
  await how.before?.(number)
  return await project.merge(number)
}

const apply = async (commit: string, ...more: string[]) =>
  await project.job(['apply', '--output', 'json', ...more], { commit, env })

const errorOf = (
  ran: { json: { stacks: { stack: string; error?: { code: string; why: string } }[] } },
  stack: string,
) => ran.json.stacks.find((one) => one.stack === stack)?.error

it('takes no plan that nobody vouches for', async () => {
  await project.push('main', { 'README.md': 'shop\n', 'trueup.yaml': config([]) })
  const words = async (number: number): Promise<string> =>
    /<!-- trueup-vouched: .* -->/.exec((await project.comments(number))[0]!.body)![0]
  const edit = async (number: number, change: (body: string) => string): Promise<void> => {
    const [{ id, body }] = (await project.comments(number)) as [{ id: number; body: string }]
    await project.ask('trueup-bot', 'PUT', `/projects/9/merge_requests/${number}/notes/${id}`, { body: change(body) })
  }
  const names: string[] = []
  const add = (name: string) => {
    names.push(name)
    return { [`${name}/file`]: `${name}\n`, 'trueup.yaml': config(names) }
  }

  // A job of a fork has no key: it plans, and vouches for nothing.
  const unsigned = await apply(await merged('fork', add('fork'), { env: {} }))
  expect(unsigned.code).toBe(1)
  expect(errorOf(unsigned, 'live/fork')).toMatchObject({
    code: 'CI_NOT_VOUCHED',
    why: expect.stringContaining('had no key') as string,
  })

  // Somebody else's key.
  const other = await merged('other-key', add('other'), { env: { TRUEUP_CI_KEY: await makeKey() } })
  expect(errorOf(await apply(other), 'live/other')).toMatchObject({ code: 'CI_FORGED' })

  // The words of another merge request, or changed ones.
  let replayed = ''
  await merged('good', add('good'), { before: async (number) => void (replayed = await words(number)) })
  const commit = await merged('replay', add('replay'), {
    before: (number) => edit(number, (body) => body.replace(/<!-- trueup-vouched: .* -->/, replayed)),
  })
  const after = await apply(commit)
  expect(errorOf(after, 'live/replay')).toMatchObject({
    code: 'CI_FORGED',
    why: expect.stringMatching(/was signed for .*merge request \d/) as string,
  })
  // One by one: what is vouched for is deployed by the next pipeline.
  expect(statesIn(after.json)).toMatchObject({ 'live/good': 'deployed', 'live/fork': 'failed', 'live/other': 'failed' })

  const bent = await merged('bent', add('bent'), {
    before: (number) =>
      edit(number, (body) => body.replace(/(trueup-vouched: [\w-]+\.[\w-]{20})./, (_, kept: string) => `${kept}A`)),
  })
  expect(errorOf(await apply(bent), 'live/bent')).toMatchObject({ code: 'CI_FORGED' })
  expect(['fork', 'other', 'replay', 'bent'].filter((name) => existsSync(project.at(name)))).toEqual([])

  // Pushed after it was planned.
  const late = await merged('late', add('late'), {
    before: async () => void (await project.push('late', { 'late/file': 'another\n' })),
  })
  expect(errorOf(await apply(late), 'live/late')).toMatchObject({
    code: 'CI_NOT_VOUCHED',
    why: expect.stringMatching(/was planned at .* and merged at/) as string,
  })

  // What is overwritten may be another text by now; what is made may not have come to be meanwhile.
  const changed = await merged('changed', { 'good/file': 'better\n' })
  writeFileSync(project.at('good', 'file'), 'tampered\n')
  const compared = await apply(changed)
  expect(statesIn(compared.json)['live/good']).toBe('deployed')
  const worse = await merged('worse', { 'good/new': 'new\n' })
  writeFileSync(project.at('good', 'new'), 'mine\n')
  expect(errorOf(await apply(worse), 'live/good')).toMatchObject({
    code: 'CI_PLAN_CHANGED',
    why: expect.stringContaining('new') as string,
  })
  expect(readFileSync(project.at('good', 'new'), 'utf8')).toBe('mine\n')
  // Somebody has read it, and takes it on.
  const cwd = project.checkOut(worse)
  const here = { cwd, env: { ...project.environment({ commit: worse, env }), TRUEUP_CI_TOKEN: '' } }
  const file = `${cwd}/plans.md`
  const told = ['--remote', 'origin', '--plan-file', file]
  expect((await project.shell.run(['ci', 'plan', ...told], here)).code).toBe(2)
  const taken = await project.shell.run(['ci', 'apply', '--output', 'json', ...told], here)
  expect(statesIn(taken.json)['live/good'], taken.err).toBe('deployed')
}, 240_000)

it('asks for all of the history', async () => {
  const tip = (await project.double.git.tip('main'))!
  const cut = await project.job(['plan'], { commit: tip, env, depth: 1 })
  expect(cut.code).toBe(1)
  expect(cut.err).toMatch(/GIT_DEPTH[^]*CI_SHALLOW/)
})
