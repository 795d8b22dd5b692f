import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { makeKey } from '../../src/cli/ci/key.ts'
import { statesIn } from './estate.ts'
import { openProject, type Project } from './project.ts'

let project: Project
let env: { TRUEUP_CI_KEY: string }
const PATIENCE = { timeout: 60_000, interval: 50 }

beforeAll(async () => {
  project = await openProject()
  env = { TRUEUP_CI_KEY: await makeKey() }
}, 60_000)
afterAll(() => project?.close())

/** A stack whose applies are counted, and wait for a file where `waits`. */
const config = (idempotent: boolean): string => {
  const at = (name: string): string => project.at(name)
  return stringify({
    version: 1,
    environments: { live: {} },
    stacks: [
      {
        path: 'slow',
        driver: 'command',
        environments: ['live'],
        with: {
          idempotent,
          plan: `cmp -s word ${at('slow')} && exit 0; echo changed; exit 2`,
          apply: `echo begun >> ${at('begun')}; echo $$ > ${at('pid')}; while [ -e ${at('hold')} ]; do sleep 0.05; done; cp word ${at('slow')}`,
        },
      },
    ],
  })
}

const lines = (name: string): number =>
  existsSync(project.at(name)) ? readFileSync(project.at(name), 'utf8').trim().split('\n').length : 0

async function merged(branch: string, files: { [path: string]: string }): Promise<string> {
  const head = await project.push(branch, files, (await project.double.git.tip('main')) ?? undefined)
  const number = await project.open(branch)
  const planned = await project.job(['plan'], { commit: head, number, env })
  expect(planned.code, planned.err).toBe(2)
  return await project.merge(number)
}

const apply = (commit: string, ...more: string[]) =>
  project.job(['apply', '--output', 'json', ...more], { commit, env })
/** Long enough for a busy machine to show that it lives, and short enough to wait for. */
const LEASE = ['--lease', '6']

it('has one pipeline at a stack, whichever comes first', async () => {
  await project.push('main', { 'README.md': 'shop\n' })
  const commit = await merged('first', { 'trueup.yaml': config(true), 'slow/word': 'one\n' })
  const both = await Promise.all([apply(commit), apply(commit)])
  expect(
    both.map(({ code }) => code),
    both.map(({ err }) => err).join('\n'),
  ).toEqual([0, 0])
  expect(new Set(both.map(({ json }) => statesIn(json)['live/slow']))).toEqual(new Set(['deployed', 'unchanged']))
  expect(lines('begun')).toBe(1)
}, 120_000)

it('lets go of a merge when a newer one is on its way', async () => {
  const older = await merged('second', { 'slow/word': 'two\n' })
  const newer = await merged('third', { 'slow/word': 'three\n' })
  const both = await Promise.all([apply(older), apply(newer)])
  expect(statesIn(both[1].json)['live/slow'], both[1].err).toBe('deployed')
  expect(['deployed', 'outdated']).toContain(statesIn(both[0].json)['live/slow'])
  expect(readFileSync(project.at('slow'), 'utf8')).toBe('three\n')
  expect(statesIn((await apply(older)).json)['live/slow']).toBe('outdated')
}, 120_000)

it('goes on after a job that was killed while applying, where repeating does no harm', async () => {
  const before = lines('begun')
  const commit = await merged('fourth', { 'slow/word': 'four\n' })
  await killedWhileApplying(commit, before)
  const next = await apply(commit, ...LEASE)
  expect(next.code, next.err + next.out).toBe(0)
  expect(readFileSync(project.at('slow'), 'utf8')).toBe('four\n')

  const careful = await merged('fifth', { 'trueup.yaml': config(false), 'slow/word': 'five\n' })
  await killedWhileApplying(careful, lines('begun'))
  const refused = await apply(careful, ...LEASE)
  expect(refused.json.stacks[0]).toMatchObject({ state: 'failed', error: { code: 'MR_BLOCKED' } })
  expect((await project.job(['drift', '--output', 'json'], { commit: careful, env })).json.stacks[0].state).toBe(
    'skipped',
  )
  const taken = await apply(careful, '--retry-lost')
  expect(taken.code, taken.err + taken.out).toBe(0)
  expect(readFileSync(project.at('slow'), 'utf8')).toBe('five\n')
}, 180_000)

it('writes down what a job has done that is told to stop', async () => {
  const commit = await merged('sixth', { 'trueup.yaml': config(true), 'slow/word': 'six\n' })
  const before = lines('begun')
  writeFileSync(project.at('hold'), '')
  const cwd = project.checkOut(commit)
  const job = project.shell.start(['ci', 'apply'], { cwd, env: project.environment({ commit, env }) })
  const over = new Promise<number | null>((resolve) => job.once('close', resolve))
  await expect.poll(() => lines('begun'), PATIENCE).toBe(before + 1)
  job.kill('SIGTERM')
  expect(await over).toBe(143)
  rmSync(project.at('hold'))
  const kept = await project.double.git.git('cat-file', 'blob', 'refs/trueup/ci/stacks/live%2Fslow:state.json')
  expect(JSON.parse(kept)).toMatchObject({ lease: null, broken: { commit, lost: false } })
  const next = await apply(commit)
  expect(next.code, next.err + next.out).toBe(0)
  expect(readFileSync(project.at('slow'), 'utf8')).toBe('six\n')
}, 120_000)

async function killedWhileApplying(commit: string, before: number): Promise<void> {
  writeFileSync(project.at('hold'), '')
  const cwd = project.checkOut(commit)
  const job = project.shell.start(['ci', 'apply', ...LEASE], { cwd, env: project.environment({ commit, env }) })
  const over = new Promise((resolve) => job.once('close', resolve))
  try {
    await expect.poll(() => lines('begun'), PATIENCE).toBe(before + 1)
    job.kill('SIGKILL')
  } finally {
    // Its tool as well, as a CI system ends all of a job.
    process.kill(Number(readFileSync(project.at('pid'), 'utf8')), 'SIGKILL')
    rmSync(project.at('hold'))
  }
  await over
}
