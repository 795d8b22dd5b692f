import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Forge } from '../../forges/forge.ts'
import type { Clock } from '../../lib/clock.ts'
import { type Logger, silentLogger } from '../../lib/log.ts'
import { type GitRepository, type GitService, NO_OID } from '../../git/repository.ts'
import { openSigningKey } from '../../git/signing-key.ts'
import { startGitService } from '../../git/service.ts'
import { openKeys } from '../../store/database/keys.ts'
import { setMember } from '../../store/people/members.ts'
import { openStore, type Store } from '../../store/open.ts'
import { createUser, type User } from '../../store/people/users.ts'
import { createWorker } from '../../store/workers/workers.ts'
import { type Engine, startEngine } from '../engine.ts'
import { createRepository } from '../repositories.ts'
import { recordPush } from '../changes/pushers.ts'
import { syncRefs } from '../changes/ref-sync.ts'

/** Follow-up work that is put off would only look like nothing happening: a test must hear of it. */
const faultLogger: Logger = {
  ...silentLogger,
  error: (fields, message) => process.stderr.write(`${message} ${inspect(fields)}\n`),
}

/** A whole engine on a real store and real Git repositories in a directory of its own; only workers are puppets. */
export interface EngineHarness {
  directory: string
  readonly engine: Engine
  readonly store: Store
  readonly git: GitRepository
  readonly forge: Forge
  repositoryId: string
  users: { author: User; reviewer: User; second: User }
  workerId: string
  clock: Clock & { advance(ms: number): void }
  /** Commits files on a branch (made from main where it does not exist), as a push would. `null` removes a path. */
  push(branch: string, files: Files, more?: PushHow): Promise<string>
  /** Deletes a branch, as a push would. */
  removeBranch(branch: string): Promise<void>
  /** The same engine, seen from another of its repositories. */
  at(repositoryId: string): EngineHarness
  settle(): Promise<void>
  /**
   * Ends the engine and starts it again on the same directory, as after a crash between two transactions; `between` has the
   * directory for itself meanwhile.
   */
  restart(between?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

export interface PushHow {
  message?: string
  from?: string
  by?: string
  /** Makes the commit that is pushed of the one that nobody has signed. */
  sign?: ((commit: string) => Promise<string>) | undefined
}

export interface Files {
  [path: string]: string | null
}

interface Running {
  store: Store
  git: GitService
  engine: Engine
}

export interface HarnessOptions {
  leaseMs?: number
  /** The server has a key that signs merges. */
  signs?: boolean
  signersFile?: string
  /** The clock moves by `advance` only: for tests of waits, which the machine's own time must not end. */
  still?: boolean
}

export async function startHarness(options: HarnessOptions = {}): Promise<EngineHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-engine-'))
  await mkdir(join(directory, 'pushes'), { recursive: true })
  const clock = movableClock(options.still)
  let running = await startOn(directory, clock, options)
  const { repositoryId, users, workerId } = await furnish(running)
  const settle = (): Promise<void> => running.engine.idle()
  const at = (repositoryId: string): EngineHarness => {
    const sync = async (): Promise<void> => {
      await syncRefs(running.engine.parts, repositoryId)
      await settle()
    }
    return {
      directory,
      get engine() {
        return running.engine
      },
      get store() {
        return running.store
      },
      get git() {
        return running.git.repository(repositoryId)
      },
      get forge() {
        return running.engine.parts.forges.named('builtin')
      },
      repositoryId,
      users,
      workerId,
      clock,
      async push(branch, files, { message = `Change ${branch}`, from, by = 'author', sign = unsigned } = {}) {
        const git = running.git.repository(repositoryId)
        const refs = await git.refs('refs/heads/')
        const ref = `refs/heads/${branch}`
        const old = refs.get(ref) ?? null
        const made = await git.commitFiles({
          parent: from ?? old ?? refs.get('refs/heads/main') ?? null,
          message,
          author: { name: by, email: `${by}@example.test`, at: clock.now() },
          files: Object.entries(files).map(([path, content]) => ({
            path,
            content: content === null ? null : Buffer.from(content),
          })),
        })
        const commit = await sign(made)
        const pusher = users[by as keyof typeof users] ?? users.author
        await recordPush(running.engine.parts, { repositoryId, userId: pusher.id }, [{ ref, newOid: commit }])
        if (!(await git.updateRef(ref, commit, old ?? NO_OID))) throw new Error(`${branch} moved`)
        await sync()
        return commit
      },
      async removeBranch(branch) {
        await running.git.repository(repositoryId).deleteRef(`refs/heads/${branch}`)
        await sync()
      },
      at,
      settle,
      async restart(between) {
        await close(running)
        await between?.()
        running = await startOn(directory, clock, options)
      },
      async stop() {
        await close(running)
        await rm(directory, { recursive: true, force: true })
      },
    }
  }
  return at(repositoryId)
}

const unsigned = async (commit: string): Promise<string> => commit

function movableClock(still = false): EngineHarness['clock'] {
  const begin = Date.now()
  let skew = 0
  return { now: () => (still ? begin : Date.now()) + skew, advance: (ms) => void (skew += ms) }
}

/** An engine on the directory of a harness that has ended; `seen` is the store as the engine is to see it. */
export async function startOn(
  directory: string,
  clock: Clock,
  options: HarnessOptions,
  seen: (store: Store) => Store = (store) => store,
): Promise<Running> {
  const store = seen(await openStore(directory, { clock }))
  const git = await startGitService({ root: join(directory, 'repositories') })
  const engine = await startEngine({
    store,
    git,
    keys: await openKeys(directory, store.db),
    log: faultLogger,
    settings: { leaseMs: options.leaseMs ?? 30_000 },
    signingKey: options.signs ? await openSigningKey(join(directory, 'signing'), 'test') : null,
    signersFile: options.signersFile,
    publicUrl: () => 'http://127.0.0.1:1',
    pushSpool: join(directory, 'pushes'),
    packs: join(directory, 'packs'),
  })
  return { store, git, engine }
}

async function furnish({
  store,
  engine,
}: Running): Promise<Pick<EngineHarness, 'repositoryId' | 'users' | 'workerId'>> {
  const user = (name: string): Promise<User> =>
    store.transaction((tx) => createUser(tx, { name, email: `${name}@example.test`, kind: 'member' }))
  const users = { author: await user('author'), reviewer: await user('reviewer'), second: await user('second') }
  const wish = { name: 'shop', defaultBranch: 'main', actorId: users.author.id }
  const { id: repositoryId } = await createRepository(engine.parts, wish)
  for (const { id: userId } of [users.reviewer, users.second]) {
    await store.transaction((tx) => setMember(tx, { repositoryId, userId, role: 'maintainer' }))
  }
  const worker = await store.transaction((tx) =>
    createWorker(tx, { name: 'puppet', kind: 'runner', pools: ['default'], publicKey: {}, builtin: false }),
  )
  return { repositoryId, users, workerId: worker.id }
}

async function close({ engine, git, store }: Running): Promise<void> {
  await engine.close()
  await git.close()
  await store.close()
}
