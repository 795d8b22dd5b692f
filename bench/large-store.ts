import { DatabaseSync } from 'node:sqlite'
import { AUDIT_GENESIS, auditHash } from '../src/domain/audit.ts'

/** How much history a store is given. */
export interface StoreSize {
  runs: number
  stacks: number
}

/** Rows that are written in one transaction. */
const PORTION = 20_000
const MONTH_MS = 30 * 86_400_000
/** How the runs of a busy installation end. */
const STATES = ['succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'canceled', 'superseded', 'lost']
/** One in so many failed: they are what people look for. */
const FAILED_EVERY = 5_000
const KINDS = ['drift', 'drift', 'drift', 'preview', 'preview', 'deploy', 'heal', 'drift']

/**
 * Fills the closed store of a data directory with copies of the newest run, stack and merge request of its first
 * repository, as many as wanted, with an audit chain that verifies: half a minute for a million runs.
 */
export function fillStore(file: string, size: StoreSize): void {
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma synchronous = off; pragma cache_size = -400000')
  const now = Date.now()
  inPortions(
    db,
    size.stacks,
    copier(db, 'stacks', (at) => stackColumns(at)),
  )
  const stacks = (db.prepare('select "id" from "stacks" order by "id"').all() as { id: string }[]).map(({ id }) => id)
  const requests = Math.max(1, Math.round(size.runs / 100))
  inPortions(
    db,
    requests,
    copier(db, 'mergeRequests', (at) => requestColumns(at, now)),
  )
  inPortions(
    db,
    size.runs,
    copier(db, 'runs', (at) => runColumns(at, size.runs, stacks, now)),
  )
  inPortions(
    db,
    Math.round(size.runs / 20),
    copier(db, 'deployments', (at) => ({
      id: made('deploy', at),
      runId: made('run', at),
      stackId: stacks[at % stacks.length]!,
      mrId: null,
      finishedAt: now - MONTH_MS + Math.floor((at * MONTH_MS) / Math.round(size.runs / 20)),
    })),
  )
  inPortions(db, Math.round(size.runs / 20), driftWriter(db, stacks, now, MONTH_MS / Math.round(size.runs / 20)))
  inPortions(db, size.runs, auditWriter(db, now - MONTH_MS))
  db.exec('pragma wal_checkpoint(truncate)')
  db.close()
}

/** Sorts behind what a server makes in the same year, so that these are the newest. */
const made = (prefix: string, at: number): string => `${prefix}_z${String(at).padStart(18, '0')}`

function inPortions(db: DatabaseSync, count: number, write: (at: number) => void): void {
  for (let from = 0; from < count; from += PORTION) {
    db.exec('begin immediate')
    for (let at = from; at < Math.min(from + PORTION, count); at++) write(at)
    db.exec('commit')
  }
}

type Columns = { [column: string]: string | number | null }

/** Writes copies of the newest row of a table, with some columns of their own. */
function copier(db: DatabaseSync, table: string, columns: (at: number) => Columns): (at: number) => void {
  const own = columns(0)
  const row = db.prepare(`select * from "${table}" order by "id" desc limit 1`).get()
  if (!row) throw new Error(`the store has nothing in ${table} to copy`)
  const names = Object.keys(row)
  const texts = names.map((name) => (name in own ? `:${name}` : `"${name}"`))
  const insert = db.prepare(
    `insert into "${table}" (${names.map((name) => `"${name}"`).join(', ')}) select ${texts.join(', ')} from "${table}" where "id" = :model`,
  )
  const model = row.id as string
  return (at) => void insert.run({ model, ...columns(at) })
}

/** Without a deployed commit, so that no runner watches ten thousand copies of one directory. */
function stackColumns(at: number): Columns {
  const status = at % 500 === 0 ? 'failed' : at % 50 === 0 ? 'drifted' : 'in_sync'
  const environment = ['development', 'staging', 'production'][at % 3]!
  return {
    id: made('stack', at),
    environment,
    name: `service-${Math.floor(at / 3)}`,
    status,
    nextDriftAt: null,
    deployedCommit: null,
  }
}

function requestColumns(at: number, now: number): Columns {
  const state = at % 200 === 0 ? 'open' : at % 10 === 0 ? 'closed' : 'merged'
  const created = now - MONTH_MS + at
  return {
    id: made('mr', at),
    number: 1000 + at,
    sourceBranch: `change-${at}`,
    state,
    mergeOid: null,
    createdAt: created,
    updatedAt: created,
  }
}

function runColumns(at: number, runs: number, stacks: readonly string[], now: number): Columns {
  const time = now - MONTH_MS + Math.floor((at / runs) * MONTH_MS)
  return {
    id: made('run', at),
    stackId: stacks[at % stacks.length]!,
    kind: KINDS[Math.floor(at / stacks.length) % KINDS.length]!,
    state: at % FAILED_EVERY === 0 ? 'failed' : STATES[at % STATES.length]!,
    mrId: made('mr', Math.floor(at / 100)),
    createdAt: time,
    startedAt: time,
    finishedAt: time,
    updatedAt: time,
  }
}

/** `everyMs`: the time between two of them. */
function driftWriter(db: DatabaseSync, stacks: readonly string[], now: number, everyMs: number): (at: number) => void {
  const insert = db.prepare(
    `insert into "driftRecords" ("id", "stackId", "repositoryId", "environment", "address", "attribute", "actions", "state",
       "since", "lastSeenAt", "closedAt", "healCount", "runId")
     select :id, "id", "repositoryId", "environment", :address, 'content', 'update', :state, :at, :at, :at, 1, :run
       from "stacks" where "id" = :stack`,
  )
  return (at) => {
    const state = at % 1_000 === 0 ? 'open' : at % 3 === 0 ? 'gone' : 'healed'
    const own = {
      id: made('drift', at),
      address: `file.${at}`,
      state,
      at: now - MONTH_MS + Math.floor(at * everyMs),
      run: made('run', at),
    }
    insert.run({ ...own, stack: stacks[at % stacks.length]! })
  }
}

const ACTIONS = ['run.queued', 'run.leased', 'run.planning', 'run.succeeded', 'stack.deployed']

function auditWriter(db: DatabaseSync, began: number): (at: number) => void {
  const insert = db.prepare(
    `insert into "audit" ("seq", "at", "actor", "action", "subject", "repositoryId", "dataJson", "previousHash", "hash")
     values (:seq, :at, :actor, :action, :subject, :repositoryId, :dataJson, :previousHash, :hash)`,
  )
  const head = db.prepare('update "auditHead" set "seq" = ?, "hash" = ?')
  let { seq, hash } = (db.prepare('select "seq", "hash" from "auditHead"').get() ?? {
    seq: 0,
    hash: AUDIT_GENESIS,
  }) as { seq: number; hash: string }
  const { id: repositoryId } = db.prepare('select "id" from "repositories" limit 1').get() as { id: string }
  return (at) => {
    const people = at % 1_000 === 0
    const entry = {
      seq: ++seq,
      at: began + at,
      actor: people ? 'user:user_of_the_bench' : at % 2 === 0 ? 'system' : 'worker:worker_of_the_bench',
      action: people ? 'mr.merge' : ACTIONS[at % ACTIONS.length]!,
      subject: made('run', at),
      repositoryId,
      dataJson: `{"fence":1,"kind":"drift","stackId":"${made('stack', at)}"}`,
    }
    const link = auditHash(hash, entry)
    insert.run({ ...entry, previousHash: hash, hash: link })
    hash = link
    head.run(seq, hash)
  }
}
