import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openShell, type Shell } from './testing/process.ts'

let shell: Shell
beforeAll(async () => {
  shell = await openShell()
})
afterAll(() => shell.close())

it('sends signed heads elsewhere, and proves the chain by them on any machine', async () => {
  const file = join(shell.home, 'kept.jsonl')
  await shell.up(['--audit-checkpoints', `file:${file}`])
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain('trueup-audit-checkpoint-v1'), 30_000)
  expect((await shell.run(['repo', 'create', 'later'])).code).toBe(0)
  const key = join(shell.home, 'audit.pub')
  writeFileSync(key, (await shell.run(['audit', 'key'])).out)
  const verify = ['audit', 'verify', '--checkpoint', `file:${file}`, '--key', key]
  const good = await shell.run([...verify, '-o', 'json'])
  expect(good.json).toMatchObject({ ok: true, fromSeq: 1, breaks: [] })
  const { through } = good.json as { through: number }
  const exported = join(shell.home, 'audit.jsonl')
  expect((await shell.run(['audit', 'export', '--file', exported])).code).toBe(0)
  const cut = readFileSync(exported, 'utf8')
    .split('\n')
    .slice(0, through - 1)
  writeFileSync(exported, cut.map((line) => `${line}\n`).join(''))
  const bad = await shell.run([...verify, '--export', exported])
  expect(bad).toMatchObject({ code: 1, out: expect.stringContaining('were signed') })
  expect((await shell.run(['audit', 'verify', '--checkpoint', 'file:/nowhere/at/all'])).err).toContain('UNAVAILABLE')
})
