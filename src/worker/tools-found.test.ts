import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ToolsFound } from '../domain/runs/programs.ts'
import { type Tools, watchTools } from './tools-found.ts'

let directory = ''
let tools: Tools
const told: ToolsFound[] = []
const log = { debug() {}, info() {}, warn() {}, error() {} } as never
const program = (name: string, says: string, exitCode = 0) => {
  writeFileSync(join(directory, name), `#!/bin/sh\necho '${says}'\nexit ${exitCode}\n`)
  chmodSync(join(directory, name), 0o755)
}
const watch = async (tell: (found: ToolsFound) => Promise<unknown>) =>
  await watchTools({ env: { PATH: directory }, log, tell, askAfterMs: 10, lookMs: 20 })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'trueup-tools-'))
  told.length = 0
})
afterEach(() => {
  tools.close()
  rmSync(directory, { recursive: true, force: true })
})

test('what is there is known at once, its version soon; what comes, changes and goes is told', async () => {
  program('tofu', 'OpenTofu v1.12.6')
  tools = await watch(async (found) => told.push(found))
  expect(tools.found()).toHaveProperty('tofu', '')
  await expect.poll(() => told.at(-1)?.['tofu'], { timeout: 60_000 }).toBe('1.12.6')
  program('puppet', '8.10.0')
  await expect.poll(() => told.at(-1)?.['puppet'], { timeout: 60_000 }).toBe('8.10.0')
  program('tofu', 'OpenTofu v1.13.0 (newer)')
  await expect.poll(() => told.at(-1)?.['tofu'], { timeout: 60_000 }).toBe('1.13.0')
  rmSync(join(directory, 'tofu'))
  await expect.poll(() => told.at(-1), { timeout: 60_000 }).not.toHaveProperty('tofu')
})

test('a version is what a program says of itself, and not what it complains of', async () => {
  program('r10k', 'r10k 5.0.3')
  program('ssh', 'OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.15')
  program('ansible-playbook', 'ansible-playbook [core 2.19.1]')
  program('puppet', '/usr/lib/ruby/puppet.rb:323: cannot load 4.1', 1)
  program('helm', 'v3.19.0')
  tools = await watch(async (found) => told.push(found))
  await expect
    .poll(() => told.at(-1), { timeout: 60_000 })
    .toEqual({ r10k: '5.0.3', ssh: '9.2.0', 'ansible-playbook': '2.19.1', puppet: '', helm: '3.19.0' })
})

test('what could not be told is told with the next look, and no program is one that cannot be started', async () => {
  let tries = 0
  program('helm', 'v3.19.0+g1')
  mkdirSync(join(directory, 'r10k'))
  writeFileSync(join(directory, 'kustomize'), 'not executable')
  program('puppet', 'no number')
  tools = await watch(async (found) => {
    if (++tries < 3) throw new Error('not connected')
    told.push(found)
  })
  await expect.poll(() => told.at(-1), { timeout: 60_000 }).toMatchObject({ helm: '3.19.0', puppet: '' })
  expect(told.at(-1)).not.toHaveProperty('r10k')
  expect(told.at(-1)).not.toHaveProperty('kustomize')
})
