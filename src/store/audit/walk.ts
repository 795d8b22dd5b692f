import { createHash } from 'node:crypto'
import {
  type AuditBreak,
  auditHash,
  AuditReseal,
  checkpointText,
  MAX_LISTED_BREAKS,
  RESEAL_ACTION,
  resealText,
} from '../../domain/audit.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { Queries } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import { type AuditCheckpoint, type AuditRow, type ChainSource, storedChain } from './chain.ts'

export interface WalkOptions {
  /** With them, the signatures of checkpoints and reseals are checked too. */
  keys?: Pick<DataKeys, 'verify'>
  /** A head that was kept somewhere else (an export's last line, a printed checkpoint): the chain must pass through it. */
  kept?: { seq: number; hash: string }
  /** Hears of every link, in order. */
  each?: (row: AuditRow) => void
}

/** An event that named the breaks before it and continued the chain. */
export interface SoundReseal {
  seq: number
  at: number
  actor: string
  reason: string
  breaks: AuditBreak[]
  total: number
}

/** What a walk along the whole chain found. */
export interface ChainWalk {
  /** Links that are in order, counted from the first that is there to the first break that no reseal names. */
  count: number
  /** Checkpoints that agree with the chain. */
  checkpoints: number
  /** The first breaks that no reseal names, and how many there are. */
  breaks: AuditBreak[]
  total: number
  reseals: SoundReseal[]
  /** The highest number that the chain has, or is known to have had. */
  reach: number
  /** Hash of the newest link that is there. */
  newestHash: string
  /** SHA-256 over all rows and checkpoints, as they are. */
  content: string
}

/** Walks along the stored chain, from the signed checkpoint of what left it to its end. */
export async function walkChain(db: Queries, options: WalkOptions = {}): Promise<ChainWalk> {
  return walk(await storedChain(db, options.keys), options)
}

/**
 * Reads a chain from end to end, in pages: every hash is computed again, the chain must reach its recorded head and pass
 * through every checkpoint. It goes on behind a break, so that all of them are known, and takes back those that a sound
 * reseal names: one whose signature is good and before which everything stands as it stood then.
 */
export async function walk(source: ChainSource, options: WalkOptions = {}): Promise<ChainWalk> {
  const { kept, each } = options
  const { base, head, checkpoints } = source
  const signed = new Map(checkpoints.map((checkpoint) => [checkpoint.seq, checkpoint]))
  const content = createHash('sha256')
  const contentBefore = (seq: number): string => {
    const digest = content.copy()
    for (const checkpoint of checkpoints) if (checkpoint.seq < seq) digest.update(`${canonicalJson(checkpoint)}\n`)
    return digest.digest('hex')
  }
  // What left counts by its last hash, which stands for all before it.
  if (base.seq > 0) content.update(`${canonicalJson(base)}\n`)
  const found = openBreaks()
  for (const fault of source.faults) found.add(fault, 0, { forGood: true })
  const reseals: SoundReseal[] = []
  let last: AuditRow | undefined
  let rows = 0
  let passed = 0
  let passedKept = false

  for await (const row of source.rows) {
    each?.(row)
    const expected = (last?.seq ?? base.seq) + 1
    const note = (kind: AuditBreak['kind'], why: string, seq = row.seq) =>
      found.add({ seq, kind, why, at: seq === row.seq ? row.at : null, after: last?.at ?? null }, rows)
    if (row.seq !== expected) note('missing', missing(expected, row.seq - 1), expected)
    else if (row.previousHash !== (last?.hash ?? base.hash))
      note('forked', 'it does not follow from the link before it')
    const whole = auditHash(row.previousHash, row) === row.hash
    if (!whole) note('changed', 'its content is not what was hashed')
    if (row.seq === kept?.seq) {
      passedKept = true
      if (row.hash !== kept.hash) note('kept', 'it is not the link that was kept')
    }
    if (row.seq === head?.seq && row.hash !== head.hash) note('head', 'it is not the recorded head')
    const checkpoint = signed.get(row.seq)
    if (checkpoint) {
      const wrong = wrongIn(checkpoint, row, options)
      if (wrong) note('checkpoint', wrong)
      else passed++
    }
    if (row.action === RESEAL_ACTION && whole) {
      const reseal = readReseal(row, contentBefore(row.seq), options)
      if (typeof reseal === 'string') note('reseal', reseal)
      else {
        found.name()
        reseals.push(reseal)
      }
    }
    content.update(`${canonicalJson(row)}\n`)
    rows++
    last = row
  }

  const newest = last?.seq ?? base.seq
  const reach = Math.max(newest, head?.seq ?? 0, checkpoints.at(-1)?.seq ?? 0)
  const end = (seq: number, kind: AuditBreak['kind'], why: string) =>
    found.add({ seq, kind, why, at: null, after: last?.at ?? null }, rows)
  if (newest < reach) end(newest + 1, 'missing', `the end is cut off: the chain once reached ${reach}`)
  if (kept && !passedKept)
    end(
      kept.seq,
      'kept',
      kept.seq > reach ? `the end is cut off: the chain once reached ${kept.seq}` : 'it was kept, and is missing',
    )
  if (head && newest > head.seq) end(head.seq + 1, 'head', 'it stands after the recorded head')
  return {
    count: found.before() ?? rows,
    checkpoints: passed,
    breaks: found.listed(),
    total: found.total(),
    reseals,
    reach,
    newestHash: last?.hash ?? base.hash,
    content: contentBefore(Infinity),
  }
}

/** Collects breaks, so many that memory stays small, and forgets those that a reseal names. */
function openBreaks() {
  let listed: AuditBreak[] = []
  const kept: AuditBreak[] = []
  let total = 0
  let before: number | null = null
  return {
    add(broken: AuditBreak, rowsBefore: number, { forGood = false } = {}): void {
      before ??= rowsBefore
      total++
      // That it is not what somebody kept elsewhere, or not what was signed of what left, can be named by nobody here.
      if (forGood || broken.kind === 'kept') kept.push(broken)
      else if (listed.length < MAX_LISTED_BREAKS) listed.push(broken)
    },
    name(): void {
      listed = []
      total = kept.length
      if (total === 0) before = null
    },
    listed: () => [...kept, ...listed].toSorted((a, b) => a.seq - b.seq),
    total: () => total,
    before: () => before,
  }
}

const missing = (from: number, to: number): string =>
  from === to ? 'the link is missing' : `the links ${from} to ${to} are missing`

function wrongIn(checkpoint: AuditCheckpoint, row: AuditRow, { keys }: WalkOptions): string | null {
  if (checkpoint.hash !== row.hash) return 'it is not the link that its checkpoint signed'
  if (keys?.verify(checkpointText(checkpoint), checkpoint.signature) === false)
    return 'the signature of its checkpoint is wrong'
  return null
}

/** What a reseal says, or why it continues nothing. */
function readReseal(row: AuditRow, content: string, { keys }: WalkOptions): SoundReseal | string {
  let data: AuditReseal
  try {
    data = AuditReseal.parse(JSON.parse(row.dataJson))
  } catch {
    return 'it does not say which breaks it names'
  }
  if (data.through !== row.seq - 1 || data.content !== content) return 'what stands before it is not what it continued'
  if (keys?.verify(resealText(row.actor, data), data.signature) === false) return 'its signature is wrong'
  const { reason, breaks, total } = data
  return { seq: row.seq, at: row.at, actor: row.actor, reason, breaks, total }
}
