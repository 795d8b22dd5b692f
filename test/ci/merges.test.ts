import { existsSync } from 'node:fs'
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

const config = (names: readonly string[]): string =>
  stringify({
    version: 1,
    environments: { live: {} },
    stacks: names.map((path) => ({
      path,
      driver: 'files',
      environments: ['live'],
      onRemove: 'destroy',
      with: { target: project.at(path) },
    })),
  })

async function planned(branch: string, head: string): Promise<number> {
  const number = await project.open(branch)
  const { code, err } = await project.job(['plan'], { commit: head, number, env })
  expect(code, err).toBe(2)
  return number
}

it('knows a merge request of several commits that was fast-forwarded', async () => {
  project.double.state.settings.merge_method = 'ff'
  const main = await project.push('main', { 'trueup.yaml': config([]) })
  await project.push('several', { 'trueup.yaml': config(['a', 'b']), 'a/file': 'a\n', 'b/file': 'b\n' }, main)
  const head = await project.push('several', { 'README.md': 'more\n' })
  const commit = await project.merge(await planned('several', head))
  expect(commit).toBe(head)
  const applied = await project.job(['apply', '--output', 'json'], { commit, env })
  expect(statesIn(applied.json), applied.err).toEqual({ 'live/a': 'deployed', 'live/b': 'deployed' })
}, 60_000)

it('destroys what left Git, by a plan that the merge request has shown', async () => {
  const main = (await project.double.git.tip('main'))!
  const head = await project.push('less', { 'trueup.yaml': config(['a']), b: null }, main)
  const number = await planned('less', head)
  expect((await project.comments(number))[0]!.body).toMatch(/live \| b \| planned \| \d+ to delete/)
  const applied = await project.job(['apply', '--output', 'json'], { commit: await project.merge(number), env })
  expect(statesIn(applied.json), applied.err).toEqual({ 'live/a': 'unchanged', 'live/b': 'destroyed' })
  expect([existsSync(project.at('a', 'file')), existsSync(project.at('b', 'file'))]).toEqual([true, false])
  expect(await project.double.git.git('for-each-ref', 'refs/trueup/ci/stacks')).not.toContain('live%2Fb')
}, 60_000)
