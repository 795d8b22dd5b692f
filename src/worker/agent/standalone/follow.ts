import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import { pause } from '../../../lib/retry.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GitRepository, NO_OID, type RemoteBranch } from '../../../git/repository.ts'
import type { Logger } from '../../logging.ts'
import type { RepositoryConfig } from '../config.ts'
import { walkBack } from '../packs.ts'
import { assertSigned, assertTarget } from '../signed.ts'
import { type Desired, readDesired } from './desired.ts'
import type { Ledger } from './ledger.ts'

/** Where fetched commits stand, so that no collection of garbage takes them. */
const SEEN = 'refs/trueup/seen'
const TAKEN = 'refs/trueup/taken'
/** After a remote that did not answer; the poll itself comes on top. */
const PAUSES = { first: 2_000, longest: 300_000 }
/** Between two looks at whether packing is worth it. */
const MAINTAIN_MS = 24 * 3_600_000

export interface FollowOptions {
  /** Name of the repository, as trailers have it. */
  name: string
  repository: GitRepository
  remote: RemoteBranch
  rules: RepositoryConfig
  ledger: Ledger
  /** Milliseconds between two looks at the branch, on average. */
  pollMs: number
  log: Logger
  /** A commit was taken. */
  onTaken: (desired: Desired) => void
}

/** Follows a branch of a remote: takes what is signed and comes after what was taken before. */
export interface Follower {
  /** What the commit that was taken last says; undefined before the first, or where its signature does not do any more. */
  readonly desired: Desired | undefined
  /** Begins to look, at once. */
  start(): void
  close(): Promise<void>
}

export async function followBranch(options: FollowOptions): Promise<Follower> {
  const { repository, remote, rules, ledger, log, onTaken } = options
  const over = new AbortController()
  let desired = await readTaken()
  let running: Promise<void> = Promise.resolve()

  /** A killed agent goes on with what it had taken, also without its remote. */
  async function readTaken(): Promise<Desired | undefined> {
    const { taken } = ledger.branch
    if (!taken) return undefined
    try {
      await assertSigned(repository, taken.commit, rules.signers, 'commit')
      return await readDesired(repository, taken.commit, rules.environments)
    } catch (thrown) {
      refuse(taken.commit, thrown)
      return undefined
    }
  }

  function refuse(commit: string, thrown: unknown): void {
    const { code, text } = asTrueupError(thrown, `taking commit ${commit}`)
    const { refused } = ledger.branch
    if (refused?.commit === commit && refused.code === code && refused.why === text.why) return
    log.warn({ commit, code, why: text.why }, 'commit refused')
    ledger.setBranch({ ...ledger.branch, refused: { commit, code, why: text.why, at: Date.now() } })
  }

  async function look(): Promise<void> {
    const head = await repository.remoteHead(remote, over.signal)
    if (head === null) {
      const doing = `looking at ${remote.url}`
      throw new TrueupError('REMOTE_UNREACHABLE', { doing, why: `it has no branch ${remote.branch} (any more)` })
    }
    const { trouble: _, refused, ...rest } = ledger.branch
    // It may have gone back to where it was.
    const still = refused && refused.commit === head ? { refused } : {}
    ledger.setBranch({ ...rest, ...still, heardAt: Date.now() })
    if (head === desired?.commit) return
    if ((await repository.resolve(head).catch(() => null)) === null) {
      await repository.fetchRemote(remote, SEEN, over.signal)
      if ((await repository.refs(SEEN)).get(SEEN) !== head) return // It moved meanwhile: the next look has it.
    }
    try {
      await take(head)
    } catch (thrown) {
      if (over.signal.aborted) throw thrown
      refuse(head, thrown)
    }
  }

  /** All or nothing: what is refused changes nothing of what is held. */
  async function take(commit: string): Promise<void> {
    const { taken } = ledger.branch
    const signer = await assertSigned(repository, commit, rules.signers, 'now')
    await assertTarget(repository, commit, { ...rules, repository: options.name })
    const from = taken?.commit ?? rules.since
    if (from !== undefined) await walkBack(repository, { from, to: commit })
    const next = await readDesired(repository, commit, rules.environments)
    const old = (await repository.refs(TAKEN)).get(TAKEN) ?? NO_OID
    await repository.updateRef(TAKEN, commit, old)
    const { refused: _, ...rest } = ledger.branch
    ledger.setBranch({ ...rest, taken: { commit, signer, at: Date.now() } })
    desired = next
    log.info({ commit, signer, stacks: next.stacks.length }, 'commit taken')
    const own = new Set(next.stacks.map(({ definition }) => definition.key))
    for (const [key, { state, failed }] of ledger.stacks()) {
      // Somebody has signed something since it went wrong: that is their word to try again.
      if (failed) ledger.set(key, { failed: { ...failed, retryAt: 0, lost: false } })
      if (!own.has(key) && state !== 'left')
        ledger.set(key, { state: 'left', why: 'the signed configuration has it no longer; what it made stays' })
    }
    onTaken(next)
  }

  async function follow(): Promise<void> {
    let failures = 0
    let maintainAt = Date.now() + MAINTAIN_MS
    while (!over.signal.aborted) {
      try {
        await look()
        failures = 0
        if (Date.now() > maintainAt) {
          maintainAt = Date.now() + MAINTAIN_MS
          await repository.maintain(over.signal)
        }
      } catch (thrown) {
        if (over.signal.aborted) return
        failures++
        const { code, text } = asTrueupError(thrown, `looking at ${remote.url}`)
        const { trouble } = ledger.branch
        if (trouble?.why !== text.why) log.warn({ code, why: text.why }, 'the remote cannot be followed')
        ledger.setBranch({ ...ledger.branch, trouble: { code, why: text.why, since: trouble?.since ?? Date.now() } })
      }
      await sleep(options.pollMs * (0.75 + Math.random() / 2), undefined, { signal: over.signal }).catch(() => {})
      await pause(failures, PAUSES, over.signal)
    }
  }

  return {
    get desired() {
      return desired
    },
    start: () => void (running = follow()),
    async close() {
      over.abort()
      await running
    },
  }
}
