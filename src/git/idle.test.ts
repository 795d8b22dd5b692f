import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { GitService } from './repository.ts'
import { startGitService } from './service.ts'
import { eventually, processesOf } from './testing/fixture.ts'

let directory: string
let root: string
let service: GitService
const lines: string[] = []
const log = new Proxy(
  {},
  { get: (_, level) => (_fields: object, text: string) => lines.push(`${String(level)} ${text}`) },
)

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-git-idle-'))
  root = join(directory, 'repositories')
  service = await startGitService({ root, idleMs: 300, log: log as never })
})
afterEach(async () => {
  await service.close()
  await rm(directory, { recursive: true, force: true })
})

const pids = (): number[] => processesOf(root, 'child/main')

it('ends when nobody asks, and is there again for all who ask at once', async () => {
  const repository = service.repository('repo_test')
  await repository.init('main')
  const [before] = pids()
  await eventually(() => pids().length === 0)
  const answers = await Promise.all(Array.from({ length: 5 }, () => repository.exists()))
  expect(answers).toEqual([true, true, true, true, true])
  expect((await service.run(['--version'])).exitCode).toBe(0)
  expect(pids()).toHaveLength(1)
  expect(pids()).not.toEqual([before])
  await eventually(() => pids().length === 0)
  // Its end is no failure, and nothing of it is told.
  expect(lines).toEqual([])
})

it('stays for as long as something takes', async () => {
  const result = await service.run(['-c', 'alias.wait=!sleep 1.5; echo done', 'wait'])
  expect(result.stdout.toString()).toBe('done\n')
})

it('is not started again by closing', async () => {
  await eventually(() => pids().length === 0)
  await service.close()
  expect(pids()).toEqual([])
  await expect(service.run(['--version'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
