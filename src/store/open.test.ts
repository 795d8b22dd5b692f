import { execFileSync } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { expect, it } from 'vitest'
import { refusal } from './conformance/bench.ts'
import { migrate } from './database/migrate.ts'
import { MIGRATIONS } from './migrations/all.ts'
import { openStore } from './open.ts'
import type { Database } from './database/schema.ts'
import { sqliteDialect } from './database/sqlite/dialect.ts'
import { openSqlite } from './database/sqlite/open.ts'
import { temporaryDirectory } from './testing/directory.ts'
import { startChild } from './testing/process.ts'

it('makes the directory for its owner only, and keeps every commit on the disk', async () => {
  const dataDir = join(await temporaryDirectory(), 'deep', 'data')
  const store = await openStore(dataDir)
  const pragma = async (name: string) => (await sql.raw(`pragma ${name}`).execute(store.db)).rows[0]
  expect(await pragma('journal_mode')).toEqual({ journal_mode: 'wal' })
  expect(await pragma('synchronous')).toEqual({ synchronous: 2 })
  expect(await pragma('foreign_keys')).toEqual({ foreign_keys: 1 })
  await store.close()
  expect(execFileSync('stat', ['-c', '%a', dataDir], { encoding: 'utf8' }).trim()).toBe('700')
  expect(await readdir(dataDir)).toEqual(['lock.db', 'lock.json', 'trueup.db'])
})

it('has an index for every hot query', async () => {
  const store = await openStore(await temporaryDirectory())
  const plan = async (query: string) => {
    const { rows } = await sql.raw<{ detail: string }>(`explain query plan ${query}`).execute(store.db)
    return rows.map((row) => row.detail).join('\n')
  }
  const ready = `select id from runs where state = 'queued' and pool = 'default' and ready = 1`
  for (const step of [
    `${ready} order by priority desc limit 1`,
    `${ready} and priority = 20 and share > 'x' order by share, mergeSequence, createdAt, id limit 1`,
  ]) {
    const queue = await plan(step)
    expect(queue).toContain('runsQueue')
    expect(queue).not.toContain('TEMP B-TREE')
  }
  expect(await plan(`select id from runs where leaseUntil < 5`)).toContain('runsByLease')
  expect(await plan(`select min(runAt) from tasks where takenAt is null`)).toContain('tasksDue')
  await store.close()
})

it('refuses what is not its database, and leaves it as it was', async () => {
  const dataDir = await temporaryDirectory()
  const content = 'not a database, but long enough to be looked at as one. '.repeat(100)
  await writeFile(join(dataDir, 'trueup.db'), content)
  const refused = await refusal(openStore(dataDir), 'DATA_CORRUPT')
  expect(refused.text.why).toContain('trueup.db')
  // The lock was given free: the second refusal is about the same thing.
  await refusal(openStore(dataDir), 'DATA_CORRUPT')
})

it('refuses the schema of a newer Trueup unless that only added something', async () => {
  const dataDir = await temporaryDirectory()
  const store = await openStore(dataDir)
  const future = { number: 999, name: 'from-the-future', appliedAt: 1 }
  await store.db
    .insertInto('migrations')
    .values({ ...future, breaking: 0 })
    .execute()
  await store.close()
  const again = await openStore(dataDir)
  await again.db.updateTable('migrations').set({ breaking: 1 }).where('number', '=', 999).execute()
  await again.close()
  const refused = await refusal(openStore(dataDir), 'DATA_NEWER')
  expect(refused.text.why).toContain('999 (from-the-future)')
})

it('applies migrations in order, once, each as a whole', async () => {
  const file = join(await temporaryDirectory(), 'trueup.db')
  const db = new Kysely<Database>({ dialect: sqliteDialect({ database: openSqlite(file), file }) })
  const dialect = { name: 'sqlite', bytes: 'blob' } as const
  const second = {
    number: MIGRATIONS.length + 1,
    name: 'second',
    breaking: false,
    up: (tx: Kysely<unknown>) => tx.schema.createTable('extra').addColumn('a', 'text').execute(),
  }
  const third = {
    ...second,
    number: MIGRATIONS.length + 2,
    name: 'third',
    up: async (tx: Kysely<unknown>) => {
      await tx.schema.createTable('half').addColumn('a', 'text').execute()
      throw new Error('the power failed')
    },
  }
  expect(await migrate(db, dialect)).toEqual(MIGRATIONS.map(({ name }) => name))
  await expect(migrate(db, dialect, [...MIGRATIONS, second, third])).rejects.toThrow('the power failed')
  expect(await migrate(db, dialect, [...MIGRATIONS, second])).toEqual([])
  const tables = (await db.introspection.getTables()).map((table) => table.name)
  expect(tables).toContain('extra')
  expect(tables).not.toContain('half')
  await db.destroy()
})

it('says what is in the way when the directory cannot be made', async () => {
  const parent = await temporaryDirectory()
  await writeFile(join(parent, 'file'), '')
  await refusal(openStore(join(parent, 'file')), 'DATA_UNWRITABLE')
  await refusal(openStore(join(parent, 'file', 'below')), 'DATA_UNWRITABLE')
})

it('refuses to begin anew where repositories are and their database is gone', async () => {
  const dataDir = await temporaryDirectory()
  await mkdir(join(dataDir, 'repositories', 'repo_1.git'), { recursive: true })
  const error = await openStore(dataDir).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'DATA_CORRUPT', text: { why: expect.stringContaining('1 repository') } })
  await rm(join(dataDir, 'repositories'), { recursive: true })
  await (await openStore(dataDir)).close()
})

/** Command line that gives the child a tmpfs of its own at `directory`, in its own mount namespace. */
const onTmpfs =
  (directory: string, options: string, then = '') =>
  (argv: string[]) => [
    'unshare',
    '--user',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    `mount -t tmpfs -o ${options} tmpfs "$0" && ${then} exec "$@"`,
    directory,
    ...argv,
  ]

function namespaceReason(): string | undefined {
  try {
    execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], {
      stdio: 'pipe',
    })
  } catch {
    return 'unshare with user namespaces and tmpfs'
  }
}
const missing = namespaceReason()
const needing = (title: string): string => (missing ? `${title} (skipped: needs ${missing})` : title)

it.skipIf(missing)(
  needing('survives a full disk: the write is refused whole, and goes on when there is room'),
  async () => {
    const dataDir = join(await temporaryDirectory(), 'data')
    await mkdir(dataDir)
    const child = startChild(
      ['fill', dataDir, 'x'],
      onTmpfs(dataDir, 'size=6m', 'head -c 1m /dev/zero > "$0/ballast" &&'),
    )
    const full = await child.hears('full')
    expect(full).toMatchObject({ code: 'NO_ROOM' })
    expect((full as { why: string }).why).toContain('disk is full')
    await child.hears('closed')
    const counted = child.said.find((line) => 'tasks' in line)
    expect(counted?.tasks).toBe(counted?.wrote)
    expect(Number(counted?.tasks)).toBeGreaterThan(3)
    await child.ended
  },
)

it.skipIf(missing)(needing('refuses a full disk and a read-only directory at the start'), async () => {
  const dataDir = join(await temporaryDirectory(), 'data')
  await mkdir(dataDir)
  const readOnly = startChild(['hold', dataDir], onTmpfs(dataDir, 'size=1m', 'mount -o remount,ro "$0" &&'))
  expect(await readOnly.hears('error')).toMatchObject({ code: 'DATA_UNWRITABLE' })
  await readOnly.ended
  const full = startChild(['hold', dataDir], onTmpfs(dataDir, 'size=64k', 'head -c 64k /dev/zero > "$0/ballast" &&'))
  expect(await full.hears('error')).toMatchObject({ code: 'NO_ROOM' })
  await full.ended
})
