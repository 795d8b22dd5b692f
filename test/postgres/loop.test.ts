import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { checkDatabaseAndKeys } from '../../src/cli/doctor/database.ts'
import { walkTheLoop } from '../../src/cli/demo/demo.ts'
import { openShell, type Shell } from '../../src/cli/testing/process.ts'
import { backupStore } from '../../src/store/backup/backup.ts'
import { startServer, type RunningServer } from '../../src/server/start.ts'
import { describeWithTool } from '../tools.ts'
import { ask } from '../../src/server/testing/app.ts'
import { type PostgresServer, startPostgres } from '../../src/store/database/postgres/testing/cluster.ts'

const PATIENCE = { timeout: 180_000, interval: 200 }

describeWithTool('postgres', 'a server on PostgreSQL', (tool) => {
  let postgres: PostgresServer
  let database: string
  let directory: string
  let server: RunningServer
  let shell: Shell
  const data = () => join(directory, 'data')
  const token = async () => (await readFile(join(data(), 'admin.token'), 'utf8')).trim()
  const start = () => startServer({ dataDir: data(), database, port: 0, runnerSlots: 2, logLevel: 'silent' })

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trueup-on-pg-'))
    shell = await openShell()
    postgres = await startPostgres(tool.path)
    database = await postgres.database()
    server = await start()
  })
  afterAll(async () => {
    await server?.close()
    await postgres?.stop()
    await shell?.close()
    await rm(directory, { recursive: true, force: true })
  })

  it('takes a change from push to drift and back', async () => {
    const said: string[] = []
    const steps = {
      timings: [],
      passed: 0,
      leftOut: () => {},
      step: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
        said.push(name)
        return await work()
      },
    }
    const signal = new AbortController().signal
    await walkTheLoop({ url: server.url, adminToken: await token(), directory: join(directory, 'walk'), signal }, steps)
    expect(said.at(-1)).toBe('the audit chain holds')
    const size = await ask(server.url, await token(), 'GET', '/api/v1/server/database')
    expect([size.status, JSON.stringify(size.body)]).toEqual([200, expect.stringContaining('"table":"runs"')])
  })

  it('says what is the matter while its database is away, and goes on when it is back', async () => {
    const ready = async () => (await ask(server.url, null, 'GET', '/readyz')).status
    await postgres.kill()
    await vi.waitFor(async () => expect(await ready()).toBe(503), PATIENCE)
    const answer = await ask(server.url, await token(), 'GET', '/api/v1/repositories/shop/stacks')
    expect([answer.status, answer.body.code]).toEqual([503, 'DATABASE_UNREACHABLE'])
    expect(JSON.stringify(answer.body)).not.toContain('trueup@')
    const change = await ask(server.url, await token(), 'POST', '/api/v1/repositories', { name: 'later' })
    expect([change.status, change.body.code]).toEqual([503, 'DATABASE_UNREACHABLE'])
    await postgres.start()
    await vi.waitFor(async () => expect(await ready()).toBe(200), PATIENCE)
    // A change through everything: what listens, what is queued, what workers hold.
    const made = await ask(server.url, await token(), 'POST', '/api/v1/repositories', { name: 'later' })
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    const verdict = await ask(server.url, await token(), 'POST', '/api/v1/audit/verify', {})
    expect(verdict.body).toMatchObject({ ok: true })
  })

  it('keeps a second server, and one that was not told of it, from what it has', async () => {
    const other = join(directory, 'other')
    const up = (...argv: string[]) => shell.run(['up', '--port', '0', ...argv])
    const second = await up('--data', other, '--database', database)
    expect([second.code, second.err]).toEqual([1, expect.stringContaining('DATA_LOCKED')])
    await expect(backupStore(data(), join(directory, 'copy'))).rejects.toMatchObject({ code: 'CONFLICT' })
    await server.close()
    const untold = await up('--data', data())
    expect([untold.code, untold.err]).toEqual([1, expect.stringContaining('--database, or TRUEUP_DATABASE')])
    const wrong = await up('--data', data(), '--database', 'mysql://x/y')
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('CONFIG_INVALID')])
    const env = { TRUEUP_DATABASE: database }
    const looked = async (address?: string) => (await checkDatabaseAndKeys(data(), address)).map(({ state }) => state)
    expect(await looked(database)).toEqual(['ok', 'ok'])
    expect(await looked()).toEqual(['note'])
    expect(await looked(database.replace(/d\d+$/, 'none'))).toEqual(['error'])
    const recovered = await shell.run(['recover-admin', '--data', data()], { env })
    expect(recovered.code, recovered.err).toBe(0)
    server = await start()
    const stacks = await ask(server.url, await token(), 'GET', '/api/v1/repositories/shop/stacks')
    expect(stacks.body.items.map(({ state }: { state: string }) => state)).toEqual(['in_sync', 'in_sync'])
  })

  it('is backed up while it writes, and the backup is an installation', async () => {
    const backup = join(directory, 'backup')
    const admin = await token()
    const writing = new AbortController()
    const writes = (async () => {
      for (let at = 0; !writing.signal.aborted; at++)
        await ask(server.url, admin, 'POST', '/api/v1/repositories', { name: `more-${at}` })
      return true
    })()
    const env = { TRUEUP_URL: server.url, TRUEUP_TOKEN: admin }
    const made = await shell.run(['backup', backup, '--remote'], { env })
    const again = await shell.run(['backup', join(directory, 'local'), '--data', data(), '--database', database])
    writing.abort()
    expect([await writes, made.code, again.code], made.err + again.err).toEqual([true, 0, 0])
    const restored = join(directory, 'restored')
    const put = await shell.run(['restore', backup, '--data', restored])
    expect(put.code, put.err).toBe(0)
    expect((await shell.run(['recover-admin', '--data', restored])).code).toBe(0)
    const copy = await startServer({ dataDir: restored, port: 0, runnerSlots: 0, logLevel: 'silent' })
    try {
      const its = (await readFile(join(restored, 'admin.token'), 'utf8')).trim()
      expect((await ask(copy.url, its, 'POST', '/api/v1/audit/verify', {})).body).toMatchObject({ ok: true })
      expect((await ask(copy.url, its, 'GET', '/api/v1/repositories/shop/stacks')).body.items).toHaveLength(2)
    } finally {
      await copy.close()
    }
  })

  it('moves into the data directory and out again with every row the same', async () => {
    await server.close()
    const move = async (...argv: string[]) => {
      const { code, err, json } = await shell.run(['database', 'move', '--data', data(), '--output', 'json', ...argv])
      expect(code, err).toBe(0)
      return json.tables as { table: string; digest: string }[]
    }
    const back = await move('--database', database, '--back')
    expect(back.length).toBeGreaterThan(20)
    // What neither text nor a number may lose on the way.
    const embedded = new DatabaseSync(join(data(), 'trueup.db'))
    const odd = `\0 \u{1F980} ${'ä'.repeat(3)} "quoted" \\ \n`
    embedded.prepare('insert into "meta" ("key", "value") values (?, ?)').run('odd', odd)
    embedded.close()
    server = await startServer({ dataDir: data(), port: 0, runnerSlots: 0, logLevel: 'silent' })
    const stacks = await ask(server.url, await token(), 'GET', '/api/v1/repositories/shop/stacks')
    expect(stacks.body.items.map(({ state }: { state: string }) => state)).toEqual(['in_sync', 'in_sync'])
    await server.close()

    const full = await shell.run(['database', 'move', '--data', data(), '--database', database])
    expect([full.code, full.err]).toEqual([1, expect.stringContaining('has rows already')])
    database = await postgres.database()
    const again = await move('--database', database)
    // A kill before the last step of it.
    await rename(join(data(), 'trueup.db.moved'), join(data(), 'trueup.db'))
    expect(again.find(({ table }) => table === 'runs')?.digest).toBe(back.find(({ table }) => table === 'runs')?.digest)
    const kept = await postgres.query(database, `select "value" from "meta" where "key" = 'odd'`)
    expect(kept.rows).toEqual([{ value: odd.replace('\0', '\uFFFD') }])
    server = await start()
    expect((await ask(server.url, await token(), 'POST', '/api/v1/audit/verify', {})).body).toMatchObject({ ok: true })
  })

  it('ends where another server has taken its database over', async () => {
    await server.close()
    const up = shell.run(['up', '--data', data(), '--database', database, '--port', '0', '--log-level', 'silent'])
    await vi.waitFor(() => readFile(join(data(), 'server.json')), PATIENCE)
    await postgres.query(database, `update "servers" set "id" = 'server_other'`)
    const ended = await up
    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining('another server has taken it over')])
    server = await start()
    expect((await ask(server.url, await token(), 'POST', '/api/v1/audit/verify', {})).body).toMatchObject({ ok: true })
  })
})
