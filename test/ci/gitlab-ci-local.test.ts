import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { runProcess } from '../../src/lib/process/run.ts'
import { describeWithTool } from '../tools.ts'
import { configOf } from './estate.ts'
import { openProject, type Project } from './project.ts'

const root = join(import.meta.dirname, '..', '..')
const runner = join(root, 'node_modules', 'gitlab-ci-local', 'dist', 'index.js')

describeWithTool('rsync', 'the GitLab component, run by gitlab-ci-local', () => {
  let project: Project
  let key: string
  beforeAll(async () => {
    project = await openProject()
    key = (await project.shell.run(['ci', 'key'])).out.trim()
  }, 60_000)
  afterAll(() => project?.close())

  /** Runs a pipeline as GitLab would for an event; `jobs` are those that its rules have chosen. */
  async function pipeline(commit: string, env: Record<string, string>) {
    const cwd = project.checkOut(commit)
    const variables = Object.entries({ ...project.environment({ commit, env: { TRUEUP_CI_KEY: key, ...env } }) })
    const result = await runProcess({
      argv: [
        process.execPath,
        runner,
        '--force-shell-executor',
        '--no-artifacts-to-source',
        ...variables.flatMap(([name, value]) => ['--variable', `${name}=${value}`]),
      ],
      cwd,
      env: { ...project.shell.env, NO_COLOR: '1' },
      timeoutMs: 200_000,
    })
    return { ...result, said: result.stdout + result.stderr }
  }

  it('plans, applies and looks for drift', async () => {
    const program = `${process.execPath} ${join(root, 'src', 'cli', 'main.ts')}`
    const files = {
      'trueup.yaml': configOf(project.at),
      'base/word': 'one\n',
      'app/note': 'app\n',
      'web/index.html': 'hello\n',
      'templates/trueup.yml': readFileSync(join(root, 'templates', 'trueup.yml'), 'utf8'),
      '.gitlab-ci.yml': stringify({
        include: [{ local: '/templates/trueup.yml', inputs: { trueup: program, options: '--lease 60' } }],
      }),
    }
    await project.push('main', { 'README.md': 'shop\n' })
    const head = await project.push('first', files)
    const number = await project.open('first')
    const planned = await pipeline(head, {
      CI_PIPELINE_SOURCE: 'merge_request_event',
      CI_MERGE_REQUEST_IID: String(number),
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
    })
    expect(planned.exitCode, planned.said).toBe(0)
    expect(planned.said).toMatch(/production\/app \(added\)/)
    expect((await project.comments(number))[0]!.body).toContain('3 stacks affected')

    const merged = await project.merge(number)
    const branch = { CI_COMMIT_BRANCH: 'main', CI_DEFAULT_BRANCH: 'main' }
    const applied = await pipeline(merged, { ...branch, CI_PIPELINE_SOURCE: 'push' })
    expect(applied.exitCode, applied.said).toBe(0)
    expect(readFileSync(project.at('app'), 'utf8')).toBe('one')

    writeFileSync(project.at('web', 'index.html'), 'tampered\n')
    const drifted = await pipeline(merged, { ...branch, CI_PIPELINE_SOURCE: 'schedule' })
    expect(drifted.exitCode, drifted.said).not.toBe(0)
    expect(drifted.said).toMatch(/production\/web: drifted/)
  }, 240_000)
})
