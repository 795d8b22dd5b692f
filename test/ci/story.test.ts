import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { configOf, statesIn as states } from './estate.ts'
import { openProject, type Project } from './project.ts'

let project: Project
let key: string
beforeAll(async () => {
  project = await openProject()
  key = (await project.shell.run(['ci', 'key'])).out.trim()
}, 60_000)
afterAll(() => project?.close())

const read = (...path: string[]): string => readFileSync(project.at(...path), 'utf8')

it('a merge request is planned, commented, merged, applied and held against reality, with no server', async () => {
  const env = { TRUEUP_CI_KEY: key, DEPLOY_PASSWORD: 'h3len-of-troy' }
  await project.push('main', { 'README.md': 'shop\n' })
  const head = await project.push('first', {
    'trueup.yaml': configOf(project.at),
    'base/word': 'one\n',
    'app/note': 'app\n',
    'web/index.html': 'hello\n',
    'web/secret': 'h3len-of-troy\n',
  })
  const number = await project.open('first')
  const planned = await project.job(
    ['plan', '--output', 'json', '--junit', 'plan.xml', '--gitlab-report', 'tf.json', '--report', 'plan.md'],
    { commit: head, number, env },
  )
  expect(planned.code, planned.err).toBe(2)
  expect(planned.json).toMatchObject({ change: number, head, signed: true, commented: true })
  expect(planned.json.stacks.map(({ stack, how }: { stack: string; how: string }) => [stack, how])).toEqual([
    ['production/base', 'added'],
    ['production/web', 'added'],
    ['production/app', 'added'],
  ])
  const [comment] = await project.comments(number)
  expect(comment!.body).toMatch(/^<!-- trueup:ci -->\n### Trueup: 3 stacks affected[^]*changed to one/)
  expect(comment!.body + planned.out).not.toContain('h3len')

  // A second job writes in the same place.
  const again = await project.job(['plan'], { commit: head, number, env })
  expect(again.code, again.err).toBe(2)
  expect(await project.comments(number)).toHaveLength(1)

  const merged = await project.merge(number)
  const applied = await project.job(['apply', '--output', 'json'], { commit: merged, env })
  expect(applied.code, applied.err + applied.out).toBe(0)
  expect(states(applied.json)).toEqual({
    'production/base': 'deployed',
    'production/web': 'deployed',
    'production/app': 'deployed',
  })
  expect([read('base'), read('app'), read('web', 'index.html')]).toEqual(['one\n', 'one', 'hello\n'])

  const quiet = await project.job(['drift', '--output', 'json'], { commit: merged, env })
  expect(quiet.code, quiet.err).toBe(0)
  writeFileSync(project.at('web', 'index.html'), 'tampered\n')
  const drifted = await project.job(['drift', '--output', 'json'], { commit: merged, env })
  expect(drifted.code, drifted.err).toBe(2)
  expect(states(drifted.json)).toMatchObject({ 'production/web': 'drifted', 'production/base': 'in_sync' })
  writeFileSync(project.at('web', 'index.html'), 'hello\n')

  // What a stack gives changes the one that takes it, which no file of its own does.
  const second = await project.push('second', { 'base/word': 'two\n' }, merged)
  const next = await project.open('second')
  const downstream = await project.job(['plan', '--output', 'json'], { commit: second, number: next, env })
  expect(downstream.json.stacks).toMatchObject([
    { stack: 'production/base', how: 'changed', provisional: false },
    { stack: 'production/app', how: 'downstream', provisional: true },
  ])
  const deployed = await project.job(['apply', '--output', 'json'], { commit: await project.merge(next), env })
  expect(deployed.code, deployed.err + deployed.out).toBe(0)
  expect(states(deployed.json)).toEqual({
    'production/base': 'deployed',
    'production/web': 'unchanged',
    'production/app': 'deployed',
  })
  expect(read('app')).toBe('two')

  // The pipeline of the earlier merge comes late.
  const late = await project.job(['apply', '--output', 'json'], { commit: merged, env })
  expect(late.code, late.err).toBe(0)
  expect(states(late.json)).toMatchObject({ 'production/base': 'outdated', 'production/web': 'unchanged' })
  expect(read('base')).toBe('two\n')
}, 240_000)

it('reports what it has planned in the forms that CI systems read', async () => {
  const clone = project.checkOut((await project.double.git.tip('main'))!)
  const more = { 'web/more.html': 'more\n' }
  const head = await project.push('reports', more, 'origin/main')
  void head
  const { code, err } = await project.shell.run(
    [
      'ci',
      'plan',
      '--head',
      'origin/reports',
      '--target',
      'origin/main',
      '--junit',
      'p.xml',
      '--gitlab-report',
      'p.json',
      '--report',
      'p.md',
    ],
    { cwd: (await fetchIn(clone), clone), env: { TRUEUP_CI_KEY: key } },
  )
  expect(code, err).toBe(2)
  expect(JSON.parse(readFileSync(join(clone, 'p.json'), 'utf8'))).toEqual({ create: 1, update: 0, delete: 0 })
  const xml = readFileSync(join(clone, 'p.xml'), 'utf8')
  expect(xml).toContain('<testcase classname="trueup ci plan" name="production/web">')
  expect(xml).toContain('tests="1" failures="0"')
  expect(readFileSync(join(clone, 'p.md'), 'utf8')).toContain('more.html')
}, 60_000)

async function fetchIn(clone: string): Promise<void> {
  const { execFileSync } = await import('node:child_process')
  execFileSync('git', ['fetch', '--quiet', 'origin'], { cwd: clone })
}
