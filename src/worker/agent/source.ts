import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { builtFrom } from '../../drivers/built-from.ts'
import type { GitRepository } from '../../git/repository.ts'
import { startGitService } from '../../git/service.ts'
import { treeView } from '../../git/tree-view.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { Grant, WatchOrder } from '../protocol.ts'
import type { Way } from '../runner.ts'
import type { Offered, Source } from '../runs/source.ts'
import type { AgentSettings } from './config.ts'
import { CONFIG_FILE, type SignedStack, signedStack } from './definition.ts'
import { assertAllowed, believed, nameOf, repositoryNamed } from './allowed.ts'
import { type Held, type HeldStacks, openHeld } from './held.ts'
import { openPacks, type Packs } from './packs.ts'
import { assertAuthored, assertSigned, assertTarget } from './signed.ts'

const REPOSITORY = 'desired'

/** The way of an agent: whatever the server says, it applies what its own signers have signed. */
export function agentWay(settings: AgentSettings): Way {
  return {
    kind: 'agent',
    async openSource({ http, data, log }) {
      mkdirSync(data, { recursive: true, mode: 0o700 })
      const git = await startGitService({ root: join(data, 'git'), log })
      const repository = git.repository(REPOSITORY)
      await repository.init('main')
      const held = openHeld(join(data, 'held.sqlite'))
      // What runs that a kill cut off had fetched.
      const needed = held.packs()
      for (const name of await repository.packs()) if (!needed.has(name)) await repository.dropPack(name)
      const source = signedSource({ settings, repository, held, packs: openPacks(repository, http, held) })
      return {
        ...source,
        async close() {
          held.close()
          await git.close()
        },
      }
    },
  }
}

interface Parts {
  settings: AgentSettings
  repository: GitRepository
  held: HeldStacks
  packs: Packs
}

/** What was fetched and checked. */
interface Vetted extends SignedStack {
  pack: string
  paths: string[]
  signer: string
}

type Order = WatchOrder & Partial<Pick<Grant, 'kind' | 'destroy' | 'request'>>

function signedSource(parts: Parts): Omit<Source, 'close'> {
  const { settings, repository, held, packs } = parts
  /** Packs of the runs that are under way, by stack and commit. */
  const pending = new Map<string, Held>()
  const keyOf = ({ stack, commit }: Pick<Grant, 'stack' | 'commit'>): string => `${nameOf(stack)} ${commit}`

  /** Checks an order and writes its files; what is refused leaves nothing behind. */
  async function vet(order: Order, directory: string, signal: AbortSignal) {
    assertAllowed(settings, order)
    const before = held.of(nameOf(order.stack))
    const isHeld = before?.commit === order.commit
    const pack = isHeld ? before.pack : await packs.take(order.stack.id, order.commit, signal)
    try {
      const vetted = await check(parts, order, { pack, before, signal })
      const files = await repository.materialise(order.commit, vetted.paths, directory)
      return { vetted, files, isHeld }
    } catch (thrown) {
      if (!isHeld) await packs.drop(pack)
      throw lacking(thrown, order)
    }
  }

  return {
    async fetch(grant, directory, signal) {
      const { vetted, files, isHeld } = await vet(grant, directory, signal)
      const { pack } = vetted
      const own = believed(settings, grant, vetted)
      if (grant.kind === 'preview' || isHeld) {
        if (!isHeld) await packs.drop(pack)
        return { grant: own, files }
      }
      // What is looked at for drift is deployed: it is this agent's from now on.
      if (grant.kind === 'drift' || grant.kind === 'heal') await take(parts, grant, pack)
      else pending.set(keyOf(grant), { commit: grant.commit, pack })
      return { grant: own, files }
    },
    async fetchDeployed(grant, directory) {
      const before = held.of(nameOf(grant.stack))
      const doing = `reading what run ${grant.runId} replaces`
      if (!before) throw new TrueupError('NOT_FOUND', { doing, why: 'this agent holds nothing of the stack' })
      const { definition } = await signedStack(repository, before.commit, grant.stack)
      const { tree } = await repository.commit(before.commit)
      const { paths } = await builtFrom(repository, treeView(repository, tree), definition)
      return await repository.materialise(before.commit, paths, directory)
    },
    async fetchWatched(order, directory, signal) {
      const { vetted, isHeld } = await vet(order, directory, signal)
      if (!isHeld) await take(parts, order, vetted.pack)
      return believed(settings, order, vetted)
    },
    variables: (grant, offered) => variablesOf(settings, grant, offered),
    applying(grant) {
      const next = pending.get(keyOf(grant))
      if (next) held.begin(nameOf(grant.stack), next)
    },
    applied(grant, untouched) {
      const next = pending.get(keyOf(grant))
      if (!next) return
      if (untouched) return held.untouched(nameOf(grant.stack))
      pending.delete(keyOf(grant))
      void take(parts, grant, next.pack)
    },
    async left(grant) {
      const next = pending.get(keyOf(grant))
      if (!next) return
      pending.delete(keyOf(grant))
      await packs.drop(next.pack)
    },
  }
}

/** Makes a commit the stack's desired state here, and removes the pack of the one before. */
async function take(
  { held, packs }: Parts,
  { stack, commit }: Pick<Grant, 'stack' | 'commit'>,
  pack: string,
): Promise<void> {
  const former = held.of(nameOf(stack))
  held.hold(nameOf(stack), { commit, pack })
  if (former && former.pack !== pack) await packs.drop(former.pack)
}

interface Checking {
  pack: string
  before: Held | undefined
  signal: AbortSignal
}

async function check(
  { settings, repository, packs }: Parts,
  order: Order,
  { pack, before, signal }: Checking,
): Promise<Vetted> {
  const { stack, commit } = order
  const rules = repositoryNamed(settings, stack.repository)
  const preview = order.kind === 'preview'
  let signer = ''
  // Git names an object by what it holds: that it is there at all is what the pack has to show.
  await repository.commit(commit)
  if (!preview) {
    signer = await assertSigned(repository, commit, rules.signers, before?.commit === commit ? 'commit' : 'now')
    await assertTarget(repository, commit, { ...rules, repository: stack.repository })
    const from = before?.commit ?? rules.since
    if (from !== undefined) await packs.assertAfter(stack.id, { from, to: commit }, signal)
  }
  const signed = await signedStack(repository, commit, stack)
  const viewOf = async (oid: string) => treeView(repository, (await repository.commit(oid)).tree)
  const { paths } = await builtFrom(repository, await viewOf(commit), signed.definition)
  const authors = preview ? (rules.authors ?? rules.signers) : rules.authors
  if (authors && before?.commit !== commit) {
    const claims = { signers: authors, paths: [CONFIG_FILE, ...paths], viewOf, before: before?.commit }
    const author = await assertAuthored(repository, commit, claims)
    signer = signer === '' ? author : `${signer}, ${author}`
  }
  return { ...signed, pack, paths, signer }
}

/** What a pack lacks is no fault of this moment: somebody left it out, or the stack is built from what cannot be told. */
function lacking(thrown: unknown, { stack, commit }: Order): unknown {
  const error = asTrueupError(thrown, `reading commit ${commit}`)
  if (error.code !== 'GIT_OBJECT_MISSING') return thrown
  return new TrueupError('PACK_INVALID', {
    doing: `reading stack ${stack.name} of commit ${commit}`,
    why: `the pack lacks something of it: ${error.text.why}`,
    cause: thrown,
  })
}

/** Its own variables first; of the server's those that the configuration names. */
function variablesOf(settings: AgentSettings, { stack }: Pick<Grant, 'stack'>, offered: Offered): Offered {
  const { serverVariables } = repositoryNamed(settings, stack.repository)
  const taken = Object.entries(offered.variables).filter(([name]) => serverVariables.includes(name))
  return {
    variables: { ...Object.fromEntries(taken), ...settings.variables },
    formerSecrets: taken.length === 0 ? [] : (offered.formerSecrets ?? []),
  }
}
