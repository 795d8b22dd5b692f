import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { makeKey } from '../../src/cli/ci/key.ts'
import { describeWithTool } from '../tools.ts'
import { statesIn } from './estate.ts'
import { openProject, type Project } from './project.ts'

describeWithTool('tofu', 'a stack of OpenTofu in a pipeline without a forge', ({ path }) => {
  let project: Project
  let env: Record<string, string>
  beforeAll(async () => {
    vi.stubEnv('PATH', `${dirname(path)}:${process.env.PATH}`)
    project = await openProject()
    env = {
      TRUEUP_CI_KEY: await makeKey(),
      // As a shell has it.
      GITLAB_CI: '',
      TRUEUP_CI_TOKEN: '',
    }
  }, 60_000)
  afterAll(async () => {
    vi.unstubAllEnvs()
    await project?.close()
  })

  const config = (): string =>
    stringify({
      version: 1,
      environments: { live: {} },
      stacks: [
        { path: 'base', driver: 'terraform', environments: ['live'], with: { tool: 'tofu' } },
        {
          path: 'app',
          driver: 'command',
          environments: ['live'],
          inputs: { password: 'base.password' },
          with: {
            plan: `[ "$(cat ${project.at('app')} 2>/dev/null)" = "$TRUEUP_INPUT_PASSWORD" ] && exit 0; echo "becomes $TRUEUP_INPUT_PASSWORD"; exit 2`,
            apply: `printf %s "$TRUEUP_INPUT_PASSWORD" > ${project.at('app')}`,
          },
        },
      ],
    })
  const code = (backend: string): string => `
    terraform {
      ${backend}
    }
    resource "terraform_data" "secret" { input = "correct-horse-battery" }
    output "password" {
      value     = terraform_data.secret.input
      sensitive = true
    }`

  it('keeps its state where the code says, and its secrets sealed', async () => {
    const homeless = await project.push('main', {
      'trueup.yaml': config(),
      'base/main.tf': code(''),
      'app/note': 'app\n',
    })
    const refused = await project.job(['plan', '--output', 'json'], { commit: homeless, env })
    expect(refused.out, refused.err).toContain('error')
    expect(JSON.parse(refused.out).stacks[0].error).toMatchObject({
      code: 'CONFIG_INVALID',
      why: expect.stringContaining('no backend') as string,
    })

    const backend = `backend "local" { path = "${project.at('state.tfstate')}" }`
    const commit = await project.push('main', { 'base/main.tf': code(backend) })
    const deploy = async (): Promise<{ [stack: string]: string }> => {
      const file = project.at('plans.md')
      const planned = await project.job(['plan', '--plan-file', file], { commit, env })
      expect(planned.code, planned.err).toBe(2)
      expect(planned.out + planned.err + readFileSync(file, 'utf8')).not.toContain('correct-horse')
      const applied = await project.job(['apply', '--output', 'json', '--plan-file', file], { commit, env })
      expect(applied.out + applied.err).not.toContain('correct-horse')
      return statesIn(applied.json)
    }
    // What the first gives is known when it is there: the second is planned then, and by a file of its own.
    expect(await deploy()).toEqual({ 'live/base': 'deployed', 'live/app': 'failed' })
    expect(await deploy()).toEqual({ 'live/base': 'unchanged', 'live/app': 'deployed' })
    expect(readFileSync(project.at('app'), 'utf8')).toBe('correct-horse-battery')
    const kept = await project.double.git.git('cat-file', 'blob', 'refs/trueup/ci/stacks/live%2Fbase:state.json')
    expect(kept).toContain('"sealed"')
    expect(kept).not.toContain('correct-horse')
    const drift = await project.job(['drift', '--output', 'json'], { commit, env })
    expect(statesIn(drift.json), drift.err).toEqual({ 'live/app': 'in_sync', 'live/base': 'in_sync' })
  }, 120_000)
})
