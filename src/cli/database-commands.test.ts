import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Shell } from './testing/process.ts'

let shell: Shell

beforeAll(async () => {
  shell = await openShell()
  await shell.up()
})
afterAll(() => shell.close())

it('keeps what it is told, and says what would go', async () => {
  const before = await shell.run(['database', 'size', '-o', 'json'])
  expect(before.json).toMatchObject({ shrinks: true, retention: { audit: { days: 2557, count: null } } })
  const kept = await shell.run([
    'database',
    'keep',
    '--audit',
    'forever',
    '--audit-count',
    '3',
    '--plans-count',
    '7',
    '-o',
    'json',
  ])
  expect(kept.json).toMatchObject({
    audit: { days: null, count: 3 },
    plans: { days: 180, count: 7 },
    logs: { days: 180, count: null },
  })
  expect((await shell.run(['database', 'size'])).out).toMatch(/audit +for good +3/)
  expect((await shell.run(['database', 'keep', '--logs', '0'])).code).not.toBe(0)
  expect(await shell.run(['database', 'vacuum'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('DATA_LOCKED'),
  })
})

it('has audit events leave for an archive that is proved with its checkpoint and the key alone', async () => {
  for (const name of ['a', 'b', 'c', 'd']) expect((await shell.run(['repo', 'create', name])).code).toBe(0)
  const would = await shell.run(['database', 'prune', '--dry-run', '-o', 'json'])
  const { audit } = would.json as { audit: number }
  expect(audit).toBeGreaterThan(1)
  const done = await shell.run(['database', 'prune', '-o', 'json'])
  expect(done.json).toMatchObject({ dryRun: false, audit, previews: 0, states: 0 })
  const verdict = await shell.run(['audit', 'verify', '-o', 'json'])
  expect(verdict.json).toMatchObject({ ok: true, archived: { through: audit, parts: 1 } })
  const { archives, publicKey } = (await shell.run(['audit', 'archives', '-o', 'json'])).json as {
    archives: { file: string }[]
    publicKey: string
  }
  expect((await shell.run(['audit', 'key'])).out.trim()).toBe(publicKey.trim())

  const directory = join(shell.home, 'data', 'audit')
  const names = await readdir(directory)
  const file = join(directory, archives[0]!.file)
  const checkpoint = join(directory, names.find((name) => name.endsWith('.checkpoint.json'))!)
  const key = join(shell.home, 'audit.pub')
  await writeFile(key, publicKey)
  const alone = { env: { TRUEUP_URL: 'http://127.0.0.1:9', TRUEUP_TOKEN: 'tut_x' } }
  const good = await shell.run(['audit', 'verify', '--checkpoint', checkpoint, '--key', key], alone)
  expect(good).toMatchObject({
    code: 0,
    out: expect.stringContaining(`The ${audit} events from 1 to ${audit} are those`),
  })
  expect((await shell.run(['audit', 'verify', '--checkpoint', checkpoint])).code).toBe(0)
  const lines = gunzipSync(await readFile(file)).toString()
  const tampered = join(shell.home, 'tampered.jsonl')
  await writeFile(tampered, lines.replace('"actor":"', '"actor":"x'))
  const bad = await shell.run(
    ['audit', 'verify', '--checkpoint', checkpoint, '--key', key, '--export', tampered, '-o', 'json'],
    alone,
  )
  expect(bad).toMatchObject({ code: 1, json: { ok: false, breaks: [{ kind: 'changed' }] } })
  const first = JSON.parse(lines.split('\n')[0]!) as { hash: string }
  const kept = await shell.run(['audit', 'verify', '--kept', `1:${first.hash}`])
  expect(kept).toMatchObject({ code: 1, err: expect.stringContaining('left the database') })
  expect((await shell.run(['audit', 'verify', '--checkpoint', checkpoint, '--kept', `1:${first.hash}`])).code).toBe(0)
  expect(await shell.run(['audit', 'verify', '--export', tampered])).toMatchObject({
    code: 1,
    err: expect.stringContaining('--checkpoint'),
  })
  const none = await shell.run(['audit', 'verify', '--checkpoint', key])
  expect(none).toMatchObject({ code: 1, err: expect.stringContaining('not a checkpoint') })
})
