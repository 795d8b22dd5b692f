import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startMoto } from '../../../test/terraform-aws/moto.ts'
import { describeWithTool } from '../../../test/tools.ts'
import { auditHash } from '../../domain/audit.ts'
import { checkpointsIn, parseAuditPlace, type SentCheckpoint } from '../../domain/audit-place.ts'
import { silentLogger } from '../../lib/log.ts'
import { appendAudit, auditRows } from '../../store/audit/audit.ts'
import { listAudit } from '../../store/audit/list.ts'
import type { AuditRow } from '../../store/audit/chain.ts'
import { verifySent } from '../../store/audit/verify-sent.ts'
import { signCheckpoint } from '../../store/audit/verify.ts'
import { type DataKeys, openKeys } from '../../store/database/keys.ts'
import { openStore, type Store } from '../../store/open.ts'
import { readFrom } from './places.ts'
import { sendCheckpoints } from './send.ts'

let root: string
let store: Store
let keys: DataKeys
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'trueup-checkpoints-'))
  store = await openStore(join(root, 'data'))
  keys = await openKeys(join(root, 'data'), store.db)
})
afterEach(async () => {
  await store.close()
  rmSync(root, { recursive: true, force: true })
})

/** Some events and a signed head of them. */
async function signed(count = 3): Promise<void> {
  await store.transaction(async (tx) => {
    for (let at = 0; at < count; at++)
      await appendAudit(tx, { actor: 'system', action: 'test.event', subject: 'x', data: { at } })
  })
  await store.transaction((tx) => signCheckpoint(tx, keys))
}
const send = (place: string): Promise<void> => sendCheckpoints(store, [parseAuditPlace(place)], silentLogger)
async function rows(): Promise<AuditRow[]> {
  const all: AuditRow[] = []
  for await (const row of auditRows(store.db)) all.push(row)
  return all
}

/** The chain as whoever holds database and audit key would have it instead: one event is another, all links follow. */
async function rewritten(seq: number): Promise<AuditRow[]> {
  let previousHash: string | null = null
  return (await rows()).map((row) => {
    const next = { ...row, previousHash: previousHash ?? row.previousHash }
    if (row.seq === seq) next.dataJson = '{"at":"another"}'
    previousHash = auditHash(next.previousHash, next)
    return { ...next, hash: previousHash }
  })
}
async function* each(list: readonly AuditRow[]): AsyncGenerator<AuditRow> {
  yield* list
}

/** Twice: what comes later is added, and what is there is neither sent again nor changed. */
async function lieAt(place: string): Promise<SentCheckpoint[]> {
  await signed()
  await send(place)
  await send(place)
  await signed()
  await send(place)
  const found = await readFrom(parseAuditPlace(place))
  expect(found.map(({ seq }) => seq)).toEqual([3, 6])
  expect(await verifySent(each(await rows()), found, keys)).toMatchObject({ ok: true, count: 6, breaks: [] })
  return found
}

describe('checkpoints that were sent to a file', () => {
  it('find a chain that was computed anew, one that was cut off, and one of another key', async () => {
    const found = await lieAt(`file:${join(root, 'kept.jsonl')}`)
    const kept = (seq: number) => ({ seq, kind: 'kept' })
    expect(await verifySent(each(await rewritten(2)), found, keys)).toMatchObject({
      ok: false,
      breaks: [kept(3), kept(6)],
    })
    expect(await verifySent(each(await rewritten(5)), found, keys)).toMatchObject({ ok: false, breaks: [kept(6)] })
    expect(await verifySent(each((await rows()).slice(0, 5)), found, keys)).toMatchObject({
      ok: false,
      breaks: [{ seq: 6, kind: 'missing' }],
    })
    const other = { verify: () => false }
    expect(await verifySent(each(await rows()), found, other)).toMatchObject({ ok: false, total: 2 })
    // Without what lies elsewhere it would be sound: only its own links are asked.
    expect(await verifySent(each(await rewritten(2)), [], keys)).toMatchObject({ ok: true })
  })

  it('say once where they cannot be sent, and come later', async () => {
    const directory = join(root, 'later')
    const place = `file:${directory}/kept.jsonl`
    await signed()
    await send(place)
    await send(place)
    const { items } = await listAudit(store.db, { action: 'audit.checkpoint_unsent' }, { limit: 10 })
    expect(items).toMatchObject([{ data: { place, after: 0, why: expect.stringContaining('ENOENT') } }])
    execFileSync('mkdir', [directory])
    await send(place)
    expect(checkpointsIn(readFileSync(`${directory}/kept.jsonl`, 'utf8')).map(({ seq }) => seq)).toEqual([3])
  })
})

it('are commits of a branch of another repository', async () => {
  const remote = join(root, 'remote.git')
  execFileSync('git', ['init', '-q', '--bare', remote])
  const found = await lieAt(`git:${remote}#audit`)
  const log = execFileSync('git', ['-C', remote, 'log', '--format=%s', 'refs/heads/audit'], { encoding: 'utf8' })
  expect(log.trim().split('\n')).toHaveLength(2)
  expect(await verifySent(each(await rewritten(1)), found, keys)).toMatchObject({ ok: false })
})

it.each(['tcp', 'udp'] as const)('come to syslog by %s, whose file proves them', async (transport) => {
  let heard = ''
  const listening =
    transport === 'tcp' ? await tcp((text) => (heard += text)) : await udp((text) => (heard += `${text}\n`))
  await signed()
  await send(`syslog+${transport}://127.0.0.1:${listening.port}`)
  await vi.waitFor(() => expect(heard).toContain('}'), { timeout: 30_000 })
  listening.close()
  expect(heard).toMatch(/<109>1 \S+Z \S+ trueup \d+ audit-checkpoint - \{/)
  const file = join(root, 'syslog')
  writeFileSync(file, `Dec  1 02:00:00 host other[1]: words {}\n${heard}\n`)
  const found = await readFrom(parseAuditPlace(`file:${file}`))
  expect(await verifySent(each(await rows()), found, keys)).toMatchObject({ ok: true, count: 3 })
  await expect(readFrom(parseAuditPlace('syslog://127.0.0.1'))).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
})

describeWithTool('moto_server', 'checkpoints in a bucket', () => {
  it('are objects that are never written twice', { timeout: 120_000 }, async () => {
    const moto = await startMoto()
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test')
    try {
      const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3')
      const client = new S3Client({ endpoint: moto.url, region: 'us-east-1', forcePathStyle: true })
      await client.send(new CreateBucketCommand({ Bucket: 'kept' }))
      client.destroy()
      const place = `s3://kept/audit?region=us-east-1&endpoint=${encodeURIComponent(moto.url)}`
      const found = await lieAt(place)
      expect(await verifySent(each(await rewritten(3)), found, keys)).toMatchObject({ ok: false })
    } finally {
      vi.unstubAllEnvs()
      await moto.stop()
    }
  })
})

it.each([
  'ftp://host/x', 'file:relative', 's3://', 's3://key:secret@bucket', 'git:', 'git:--upload-pack=x', 'git:https://token@host/x', 'git:/x#refs/../x',
])('%s is no place', (text) => {
  expect(() => parseAuditPlace(text)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
}) // biome-ignore format: a list

interface Listening {
  port: number
  close(): void
}

async function tcp(onText: (text: string) => void): Promise<Listening> {
  const server = createServer((client) => client.setEncoding('utf8').on('data', onText))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

async function udp(onText: (text: string) => void): Promise<Listening> {
  const socket = createSocket('udp4', (message) => onText(message.toString()))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return { port: socket.address().port, close: () => socket.close() }
}
