import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Transaction } from 'kysely'
import { isFinal } from '../../domain/runs/run.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { getRun } from '../../store/runs/runs.ts'
import type { Database } from '../../store/database/schema.ts'
import { getRetention } from '../../store/retention/retention.ts'
import {
  createStateVersion,
  findStateVersion,
  freeStateLock,
  getStateLock,
  latestStateVersion,
  listStateVersions,
  pruneStateVersions,
  type StateLock,
  type StateVersion,
  type StateVersionInfo,
  takeStateLock,
} from '../../store/stacks/state.ts'
import type { Page, PageRequest } from '../../store/database/page.ts'
import type { EngineParts } from '../parts.ts'
import { isEncrypted, readStateFile, withSerial } from './state-file.ts'

export type { StateVersionInfo } from '../../store/stacks/state.ts'

/**
 * Who uses a state. A run holds credentials of its own, a person a token. `write` is false for preview and drift runs and
 * for people without the deployer role: they may read, nothing else.
 */
export interface StateActor {
  runId: string | null
  userId: string | null
  /** For people: `run run_01…`, `alice`. */
  label: string
  write: boolean
  /** Of a run: the lease under which these credentials were given, and the worker that holds it. */
  fence?: number
  workerId?: string | null
}

/** Which state: one stack has one per workspace. */
export interface StateKey {
  stackId: string
  workspace: string
}

/** A lock as it is answered to the next in line: Terraform's own members and ours. */
export interface StateLockInfo extends JsonObject {
  ID: string
}

/** The Terraform state backend: locks, versions, lineage and serial rules; contents are sealed at rest. */
export interface TerraformStates {
  /** The current content, or that of an earlier version; null where there is none. */
  read(key: StateKey, version?: number): Promise<{ body: Buffer; md5: string; version: number } | null>
  /**
   * Stores a new version. STATE_LOCKED where someone holds the lock and `lockId` is not theirs; STATE_CONFLICT where
   * `lockId` names a lock that was opened meanwhile, where the serial does not rise although the content differs, or the
   * lineage is another. The current content once more is no new
   * version. FORBIDDEN for readers, INVALID_REQUEST for what is not a state file.
   */
  write(actor: StateActor, key: StateKey, body: Buffer, lockId: string | null): Promise<{ version: number }>
  /**
   * STATE_LOCKED (details.lock: the holder) where someone holds it. A lock whose run is over, or whose lease was taken away,
   * is taken over: its credentials no longer count, so it can never be given back nor used to write.
   */
  lock(actor: StateActor, key: StateKey, info: StateLockInfo): Promise<void>
  /**
   * Gives the lock back; what is not locked stays so. `lockId` null is by force (`terraform force-unlock` sends an empty
   * body) and for people only. STATE_LOCKED where another one is held.
   */
  unlock(actor: StateActor, key: StateKey, lockId: string | null): Promise<void>
  lockHolder(key: StateKey): Promise<StateLockInfo | null>
  /** Newest first, without contents. */
  versions(key: StateKey, page?: PageRequest): Promise<Page<StateVersionInfo>>
  /**
   * Makes an earlier version the current one again: as a new version with a serial above the current one, so that no
   * client takes it for an old copy; one that OpenTofu has encrypted keeps its serial. STATE_LOCKED while anyone holds the lock, NOT_FOUND where it is not there.
   */
  restore(actor: StateActor, key: StateKey, version: number): Promise<{ version: number; serial: number }>
}

type Tx = Transaction<Database>
type Parts = Pick<EngineParts, 'store' | 'keys'>

/** The state backend on the store. */
export function makeTerraformStates({ store, keys }: Parts): TerraformStates {
  const seal = async (key: StateKey, version: number, compressed: Buffer): Promise<Uint8Array> =>
    Buffer.from(keys.seal(compressed, sealContext(key, version)))
  const open = async (key: StateKey, stored: StateVersion): Promise<Buffer> =>
    decompress(keys.open(Buffer.from(stored.sealed).toString('utf8'), sealContext(key, stored.version)))

  /** Adds the next version; the number of the version is part of what its seal vouches for. */
  const append = async (tx: Tx, actor: StateActor, key: StateKey, next: NextVersion): Promise<number> => {
    await createStateVersion(tx, {
      ...key,
      version: next.version,
      lineage: next.lineage,
      serial: next.serial,
      md5: next.md5,
      sealed: await seal(key, next.version, next.compressed),
      runId: actor.runId,
      actorId: actor.userId,
    })
    const { count } = (await getRetention(tx)).states
    if (count !== null) await pruneStateVersions(tx, key.stackId, key.workspace, count)
    return next.version
  }

  return {
    async read(key, version) {
      const { stackId, workspace } = key
      const stored =
        version === undefined
          ? await latestStateVersion(store.db, stackId, workspace)
          : await findStateVersion(store.db, stackId, workspace, version)
      if (stored === undefined) return null
      return { body: await open(key, stored), md5: stored.md5, version: stored.version }
    },

    async write(actor, key, body, lockId) {
      const doing = `storing the state of ${name(key)}`
      refuseReader(actor, doing)
      const { lineage, serial } = readStateFile(body)
      const md5 = createHash('md5').update(body).digest('hex')
      const compressed = await compress(body)
      return store.transaction(async (tx) => {
        await refuseZombie(tx, actor, doing)
        const held = await getStateLock(tx, key.stackId, key.workspace)
        if (held !== undefined && held.lockId !== lockId) throw locked(doing, held)
        const current = await latestStateVersion(tx, key.stackId, key.workspace)
        if (current?.md5 === md5) return { version: current.version }
        if (held === undefined && lockId !== null) throw lockOpened(doing, lockId)
        if (current !== undefined) refuseConflict(doing, current, { lineage, serial })
        const version = await append(tx, actor, key, {
          lineage,
          serial,
          md5,
          compressed,
          version: (current?.version ?? 0) + 1,
        })
        // An apply stores many times and its run is in the audit already; a person's hand is not.
        if (actor.userId !== null) await audit(tx, actor, 'state.write', key, { version, serial })
        return { version }
      })
    },

    async lock(actor, key, info) {
      const doing = `locking the state of ${name(key)}`
      refuseReader(actor, doing)
      await store.transaction(async (tx) => {
        await refuseZombie(tx, actor, doing)
        const wanted = lockRow(actor, key, info, store.clock.now())
        const first = await takeStateLock(tx, wanted)
        // The client repeats a request whose answer was lost.
        if (first.taken || first.lock.lockId === wanted.lockId) return
        if (!(await isOrphan(tx, first.lock))) throw locked(doing, first.lock)
        await freeStateLock(tx, key.stackId, key.workspace, first.lock.lockId)
        await takeStateLock(tx, wanted)
        await audit(tx, actor, 'state.lock-taken-over', key, { from: first.lock.info })
      })
    },

    async unlock(actor, key, lockId) {
      const doing = `unlocking the state of ${name(key)}`
      refuseReader(actor, doing)
      await store.transaction(async (tx) => {
        const held = await getStateLock(tx, key.stackId, key.workspace)
        if (held === undefined) return
        if (lockId !== null && lockId !== held.lockId) throw locked(doing, held)
        // The id alone proves nothing: whoever is refused the lock is told it.
        if (actor.userId === null && (lockId === null || held.runId !== actor.runId)) throw byForce(doing)
        await freeStateLock(tx, key.stackId, key.workspace, held.lockId)
        if (lockId === null) await audit(tx, actor, 'state.force-unlock', key, { lock: held.info })
      })
    },

    async lockHolder(key) {
      const held = await getStateLock(store.db, key.stackId, key.workspace)
      return held === undefined ? null : (held.info as StateLockInfo)
    },

    versions: (key, page = {}) => listStateVersions(store.db, key.stackId, key.workspace, page),

    async restore(actor, key, version) {
      const doing = `restoring version ${version} of the state of ${name(key)}`
      refuseReader(actor, doing)
      const wanted = await findStateVersion(store.db, key.stackId, key.workspace, version)
      if (wanted === undefined) throw new TrueupError('NOT_FOUND', { doing, why: 'there is no such version' })
      const old = await open(key, wanted)
      // The serial decides the bytes, so what is stored is made before the transaction and checked inside it.
      const before = await latestStateVersion(store.db, key.stackId, key.workspace)
      // OpenTofu refuses an encrypted state whose serial outside is not the one inside, which nobody here can write.
      const serial = isEncrypted(old) ? wanted.serial : (before?.serial ?? 0) + 1
      const body = isEncrypted(old) ? old : withSerial(old, serial)
      const next = { lineage: wanted.lineage, serial, md5: createHash('md5').update(body).digest('hex') }
      const compressed = await compress(body)
      return store.transaction(async (tx) => {
        const held = await getStateLock(tx, key.stackId, key.workspace)
        if (held !== undefined) throw locked(doing, held)
        const current = await latestStateVersion(tx, key.stackId, key.workspace)
        if (current?.version !== before?.version)
          throw new TrueupError('STATE_CONFLICT', { doing, why: 'it was written meanwhile' })
        const added = await append(tx, actor, key, { ...next, compressed, version: (current?.version ?? 0) + 1 })
        await audit(tx, actor, 'state.restore', key, { restored: version, version: added, serial })
        return { version: added, serial }
      })
    },
  }
}

interface NextVersion {
  version: number
  lineage: string
  serial: number
  md5: string
  compressed: Buffer
}

/** State files are JSON full of repetition: a tenth of the size, and off the event loop. */
const compress = promisify(gzip) as (plain: Buffer) => Promise<Buffer>
const decompress = promisify(gunzip) as (compressed: Buffer) => Promise<Buffer>

const name = (key: StateKey): string => `stack ${key.stackId}, workspace "${key.workspace}"`
const sealContext = (key: StateKey, version: number): string => `state:${key.stackId}:${key.workspace}:${version}`

function lockRow(actor: StateActor, key: StateKey, info: StateLockInfo, now: number): Omit<StateLock, 'createdAt'> {
  const ours: JsonObject = {
    holder: actor.label,
    since: new Date(now).toISOString(),
    ...(actor.runId !== null && { runId: actor.runId, fence: actor.fence ?? null, worker: actor.workerId ?? null }),
  }
  return { ...key, lockId: info.ID, info: { ...info, ...ours }, runId: actor.runId, userId: actor.userId }
}

/** A lock that nobody can use any more: its run is over, or holds another lease than the one it locked under. */
async function isOrphan(tx: Tx, held: StateLock): Promise<boolean> {
  if (held.runId === null) return false
  const run = await getRun(tx, held.runId)
  if (run === undefined || isFinal(run.state)) return true
  return run.workerId === null || run.fence !== held.info.fence
}

/** A state takes a while to arrive: the lease that let its sender in may be another's by then. */
async function refuseZombie(tx: Tx, actor: StateActor, doing: string): Promise<void> {
  if (actor.runId === null || actor.fence === undefined) return
  const run = await getRun(tx, actor.runId)
  if (run && run.fence === actor.fence && run.leaseUntil !== null) return
  throw new TrueupError('LEASE_LOST', { doing, why: `${actor.label} is no longer held under token ${actor.fence}` })
}

function refuseReader(actor: StateActor, doing: string): void {
  if (actor.write) return
  throw new TrueupError('FORBIDDEN', {
    doing,
    why: `${actor.label} may only read it`,
    next: 'Previews and drift checks plan with -lock=false; people need the role deployer to change a state.',
  })
}

function refuseConflict(doing: string, current: StateVersion, next: { lineage: string; serial: number }): void {
  if (next.lineage !== current.lineage) {
    throw new TrueupError('STATE_CONFLICT', {
      doing,
      why: `it belongs to another state (lineage ${next.lineage}, here is ${current.lineage})`,
      next: 'Check that this is the right stack and workspace.',
    })
  }
  if (next.serial > current.serial) return
  throw new TrueupError('STATE_CONFLICT', {
    doing,
    why: `its serial ${next.serial} is not above the stored ${current.serial}, and its content differs`,
  })
}

function locked(doing: string, held: StateLock): TrueupError {
  const { info } = held
  const holder = typeof info.holder === 'string' ? info.holder : 'someone'
  const since = new Date(held.createdAt).toISOString()
  return new TrueupError('STATE_LOCKED', {
    doing,
    why: `it is locked by ${holder} since ${since} (lock ${held.lockId})`,
    details: { lock: info },
  })
}

/** Another one may have held it and stored since; a serial does not tell, for the tool raises it with every attempt. */
const lockOpened = (doing: string, lockId: string): TrueupError =>
  new TrueupError('STATE_CONFLICT', {
    doing,
    why: `its lock ${lockId} was opened by force or taken over meanwhile`,
    next: 'Compare it with the current version, and push it by hand where it is the right one.',
  })

const byForce = (doing: string): TrueupError =>
  new TrueupError('FORBIDDEN', { doing, why: 'a run may only give back the lock that it holds' })

async function audit(tx: Tx, actor: StateActor, action: string, key: StateKey, data: JsonObject): Promise<void> {
  await appendAudit(tx, {
    actor: actor.userId === null ? `worker:${actor.workerId ?? ''}` : `user:${actor.userId}`,
    action,
    subject: key.stackId,
    data: { workspace: key.workspace, ...(actor.runId !== null && { runId: actor.runId }), ...data },
  })
}
