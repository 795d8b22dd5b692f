import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Output } from '../../domain/plans/plan.ts'
import { Outputs } from '../../domain/wire/plan-parts.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { newId } from '../../lib/ids.ts'
import { sealing } from '../../worker/runs/sealing.ts'
import type { Checkout } from './checkout.ts'
import { keyMissing, type PipelineKey } from './key.ts'
import type { SharedRefs } from './refs.ts'

const Deployed = z.object({
  commit: z.string(),
  /** Of the desired state, with inputs. */
  digest: z.string(),
  /** Those that everybody may see. */
  outputs: Outputs,
  /** The sensitive ones, sealed under the pipeline's key; base64. */
  sealed: z.string().optional(),
  /** Milliseconds. */
  at: z.number(),
})
const Record = z.object({
  version: z.literal(1),
  stack: z.string(),
  deployed: Deployed.nullable(),
  /** A pipeline that is at it; it writes itself anew as long as it lives. */
  lease: z.object({ id: z.string(), beat: z.number(), applying: z.boolean() }).nullable(),
  /** An apply that did not get to its good end. */
  broken: z.object({ commit: z.string(), why: z.string(), lost: z.boolean() }).optional(),
})

/** What pipelines know of one stack, in a reference of its own. */
export type StackRecord = z.infer<typeof Record>
export type DeployedRecord = z.infer<typeof Deployed>

/** A stack in the hands of this pipeline. Each write is a compare-and-swap on the one before: CI_LEASE_LOST when another has it. */
export interface Held {
  readonly record: StackRecord
  /** The tool is about to change something. */
  applying(): Promise<void>
  /** Writes how the stack is now, and gives it back. */
  release(change: Partial<Pick<StackRecord, 'deployed' | 'broken'>>): Promise<void>
  /** Removes what is known of it, since it is no more. */
  remove(): Promise<void>
  /** Aborted when another pipeline has taken the stack over, or may have, since nothing could be written for too long. */
  readonly lost: AbortSignal
}

export interface StateStore {
  /** Asks for everything that pipelines have written down, by stack. It is kept up with what this one writes. */
  look(): Promise<ReadonlyMap<string, StackRecord>>
  /**
   * Says that a merge is being deployed; order is that of the history. Answers with the newest such merge: ours, or the later
   * one that makes ours outdated. CI_DIVERGED where neither follows the other. A look at the stacks too.
   */
  announce(commit: string): Promise<string>
  /** Takes a stack, and waits as long as another pipeline has it. CI_BUSY after `waitMs`. */
  take(stack: string): Promise<Held>
  /** Opens what was deployed. */
  outputsOf(deployed: DeployedRecord): { [name: string]: Output }
  /** The outputs as they may lie in the repository. CI_KEY where one is sensitive and there is no key. */
  sealed(outputs: { [name: string]: Output }): Pick<DeployedRecord, 'outputs' | 'sealed'>
}

export interface StateOptions {
  checkout: Checkout
  refs: SharedRefs
  key: PipelineKey | null
  /** After this long without a sign of life a pipeline counts as dead. */
  leaseMs: number
  waitMs: number
  signal: AbortSignal
  onWait?(stack: string): void
}

const HEAD = 'head'
const STACKS = 'stacks/'
const FILE = 'state.json'
const POLL_MS = 2_000
/** A reference that moves again and again has somebody else at it. */
const ATTEMPTS = 20

const refOf = (stack: string): string => STACKS + encodeURIComponent(stack)

export function openState(options: StateOptions): StateStore {
  const { checkout, refs, key, leaseMs, waitMs, signal } = options

  async function write(record: StackRecord, message: string): Promise<string> {
    const doing = `writing down ${record.stack}`
    const text = `${JSON.stringify(record, null, 1)}\n`
    const blob = await checkout.ask(doing, ['hash-object', '-w', '--stdin'], text)
    const tree = await checkout.ask(doing, ['mktree'], `100644 blob ${blob}\t${FILE}\n`)
    return await checkout.ask(doing, ['commit-tree', tree, '-m', message])
  }

  async function read(oid: string): Promise<StackRecord> {
    const text = await checkout.repository.readFile(oid, FILE)
    const parsed = Record.safeParse(JSON.parse(text?.toString('utf8') ?? 'null'))
    if (parsed.success) return parsed.data
    throw new TrueupError('DATA_CORRUPT', {
      doing: 'reading what pipelines keep in refs/trueup/ci/stacks',
      why: z.prettifyError(parsed.error).slice(0, 300),
      next: 'Another version has written it: use one at least as new in all pipelines.',
    })
  }

  /** As they were seen last, or as we have written them. */
  const oids = new Map<string, string>()
  const records = new Map<string, StackRecord>()

  /** Answers with the newest merge that is being deployed. */
  async function see(): Promise<string | null> {
    const there = await refs.fetch()
    const fresh = [...there].filter(([name]) => name.startsWith(STACKS))
    const known = new Map([...oids].map(([stack, oid]) => [oid, records.get(stack)!]))
    const found = await Promise.all(
      fresh.map(async ([, oid]) => ({ oid, record: known.get(oid) ?? (await read(oid)) })),
    )
    oids.clear()
    records.clear()
    for (const { oid, record } of found) note(record.stack, oid, record)
    return there.get(HEAD) ?? null
  }

  function note(stack: string, oid: string | null, record: StackRecord | null): void {
    if (oid === null || record === null) {
      oids.delete(stack)
      records.delete(stack)
    } else {
      oids.set(stack, oid)
      records.set(stack, record)
    }
  }

  function hold(first: string, taken: StackRecord, { id, since }: { id: string; since: number }): Held {
    let at = first
    let record = taken
    let beat = 0
    let over = false
    /** One write after the other. */
    let turn: Promise<unknown> = Promise.resolve()
    /** When it was known last that nobody else can have it: before what was then written was sent. */
    let sure = since
    const lost = new AbortController()
    const gone = (): TrueupError =>
      new TrueupError('CI_LEASE_LOST', {
        doing: `writing down ${record.stack}`,
        why: 'another pipeline has taken it over',
      })
    const move = (wanted: StackRecord | null, message: string): Promise<void> => {
      const made = turn.then(async () => {
        if (lost.signal.aborted) throw gone()
        const now = performance.now()
        const oid = wanted && (await write(wanted, message))
        if (!(await refs.move(refOf(record.stack), oid, at))) {
          lost.abort()
          throw gone()
        }
        sure = now
        note(record.stack, oid, wanted)
        if (wanted && oid) [record, at] = [wanted, oid]
      })
      turn = made.catch(() => {})
      return made
    }
    const leased = (applying: boolean): StackRecord => ({ ...record, lease: { id, beat: ++beat, applying } })
    // A beat that does not get through is followed by another one. When none did for so long, others may think us dead.
    const timer = setInterval(() => {
      if (performance.now() - sure > (leaseMs * 5) / 6) lost.abort()
      else if (!over)
        void move(leased(record.lease?.applying ?? false), `${record.stack} is being deployed`).catch(() => {})
    }, leaseMs / 4)
    const end = async (next: StackRecord | null, message: string): Promise<void> => {
      over = true
      clearInterval(timer)
      await move(next, message)
    }
    return {
      get record() {
        return taken
      },
      lost: lost.signal,
      applying: () => move(leased(true), `${record.stack} is being applied`),
      release: ({ deployed = record.deployed, broken }) =>
        end(
          { version: 1, stack: record.stack, deployed, lease: null, ...(broken && { broken }) },
          broken
            ? `${record.stack} broke at ${broken.commit}`
            : `${record.stack} is at ${deployed?.commit ?? 'nothing'}`,
        ),
      remove: () => end(null, ''),
    }
  }

  return {
    async look() {
      await see()
      return records
    },
    async announce(commit) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const newest = await see()
        if (newest === commit) return commit
        if (newest !== null && (await isAncestor(checkout, commit, newest))) return newest
        if (newest !== null && !(await isAncestor(checkout, newest, commit)))
          throw new TrueupError('CI_DIVERGED', {
            doing: `deploying ${commit.slice(0, 12)}`,
            why: `${newest.slice(0, 12)} was deployed, which it does not follow`,
          })
        if (await refs.move(HEAD, commit, newest)) return commit
      }
      throw new TrueupError('CI_BUSY', {
        doing: `deploying ${commit.slice(0, 12)}`,
        why: 'other pipelines keep moving it',
      })
    },
    async take(stack) {
      const id = newId('lease')
      const began = performance.now()
      let seen: { oid: string; since: number } | undefined
      for (let told = false; ; ) {
        const oid = oids.get(stack) ?? null
        const record = records.get(stack) ?? { version: 1, stack, deployed: null, lease: null }
        const now = performance.now()
        if (record.lease && oid !== null) {
          // By what is seen here and not by anybody's clock: a pipeline that lives moves the reference.
          if (seen?.oid !== oid) seen = { oid, since: now }
          if (now - seen.since < leaseMs) {
            if (now - began > waitMs)
              throw new TrueupError('CI_BUSY', { doing: `deploying ${stack}`, why: 'another pipeline is at it' })
            if (!told) options.onWait?.(stack)
            told = true
            await sleep(Math.min(POLL_MS, leaseMs / 4), undefined, { signal })
            await see()
            continue
          }
        }
        const cutOff = record.lease?.applying
        const broken = { commit: record.deployed?.commit ?? '', why: 'a pipeline was ended while applying', lost: true }
        const before: StackRecord = cutOff ? { ...record, broken } : record
        const next: StackRecord = { ...before, lease: { id, beat: 0, applying: false } }
        const made = await write(next, `${stack} is being deployed`)
        const since = performance.now()
        if (await refs.move(refOf(stack), made, oid)) {
          note(stack, made, next)
          return hold(made, { ...before, lease: null }, { id, since })
        }
        await see()
      }
    },
    outputsOf({ outputs, sealed }) {
      if (sealed === undefined) return outputs
      if (key === null) return outputs
      const secret = sealing(key.seal).open(Buffer.from(sealed, 'base64')).toString('utf8')
      return { ...outputs, ...Outputs.parse(JSON.parse(secret)) }
    },
    sealed(outputs) {
      const all = Object.entries(outputs)
      const secret = all.filter(([, { sensitive }]) => sensitive)
      const open = Object.fromEntries(all.filter(([, { sensitive }]) => !sensitive))
      if (secret.length === 0) return { outputs: open }
      if (key === null) throw keyMissing('keeping sensitive outputs')
      const text = Buffer.from(JSON.stringify(Object.fromEntries(secret)))
      return { outputs: open, sealed: sealing(key.seal).seal(text).toString('base64') }
    },
  }
}

/** By the history alone; times of commits are what their makers say. */
export async function isAncestor(checkout: Checkout, older: string, newer: string): Promise<boolean> {
  const { exitCode } = await checkout.git(['merge-base', '--is-ancestor', older, newer])
  return exitCode === 0
}
