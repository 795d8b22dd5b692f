import { afterEach, expect, it, vi } from 'vitest'
import { runProcess } from '../lib/process/run.ts'
import { gitEnvironment } from './environment.ts'

afterEach(() => vi.unstubAllEnvs())

it.each(['/nonexistent', '', undefined])('hooks find the programs of the system with PATH %j', async (path) => {
  vi.stubEnv('PATH', path)
  const script = 'command -v mv && command -v tr && command -v sh'
  const ran = await runProcess({ argv: ['/bin/sh', '-c', script], cwd: '/', env: gitEnvironment('/nonexistent') })
  expect(ran.exitCode).toBe(0)
})
