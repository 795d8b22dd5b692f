import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { resolveEnvironment } from '../../domain/stacks/environment.ts'
import { builtFrom } from '../../drivers/built-from.ts'
import { linksOf } from '../../drivers/kept-links.ts'
import type { GitRepository } from '../../git/repository.ts'
import { startGitService } from '../../git/service.ts'
import { treeView } from '../../git/tree-view.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { Grant, WatchOrder } from '../protocol.ts'
import type { Way } from '../runner.ts'
import type { Offered, Source, VariablesOrder } from '../runs/source.ts'
import type { AgentSettings } from './config.ts'
import { CONFIG_FILE, type SignedStack, signedStack } from './definition.ts'
import { assertAllowed, believed, nameOf, repositoryNamed } from './allowed.ts'
import { type Alone, startAlone } from './alone.ts'
import { type Held, type HeldOrder, type HeldStacks, openHeld } from './held.ts'
import { openPackCache } from './pack-cache.ts'
import { openPacks, type Packs } from './packs.ts'
import { openReports, type Reports } from './reports.ts'
import { createTurns, type Turns } from './turns.ts'
import { assertAuthored, assertSigned, assertTarget } from './signed.ts'

const REPOSITORY = 'desired'
/** An agent that has nothing new to apply reads nothing: no process has to stand by for it. One without a server asks its remote each minute. */
const GIT_IDLE_MS = 30_000

/** The way of an agent: whatever the server says, it applies what its own signers have signed. */
export function agentWay(settings: AgentSettings): Way {
  let opened: { parts: Parts; reports: Reports } | undefined
  let alone: Alone | undefined
  return {
    kind: 'agent',
    async openSource({ http, data, log }) {
      mkdirSync(data, { recursive: true, mode: 0o700 })
      const git = await startGitService({ root: join(data, 'git'), log, idleMs: GIT_IDLE_MS })
      const repository = git.repository(REPOSITORY)
      await repository.init('main')
      const database = new DatabaseSync(join(data, 'held.sqlite'))
      const held = openHeld(database)
      // What runs that a kill cut off had fetched.
      const needed = held.packs()
      for (const name of await repository.packs()) if (!needed.has(name)) await repository.dropPack(name)
      const { packs: url, options } = settings
      const cache = url === undefined ? undefined : openPackCache(url, { http, route: options.route, log })
      const packs = openPacks(repository, { http, cache }, held)
      const parts = {
        settings,
        repository,
        held,
        packs,
        turns: createTurns(),
        poke: (stack: string) => alone?.poke(stack),
      }
      const reports = openReports(database)
      opened = { parts, reports }
      return {
        ...signedSource(parts),
        waiting: () => reports.count(),
        async close() {
          database.close()
          await cache?.close()
          await git.close()
        },
      }
    },
    alongside(runner) {
      const { parts, reports } = opened!
      const { held, turns, repository } = parts
      alone = startAlone({
        parts: runner,
        held,
        reports,
        turns,
        afterMs: settings.aloneAfterMs ?? Number.POSITIVE_INFINITY,
        async prepare({ order }, directory) {
          const { definition, config, paths } = await heldStack(parts, order)
          const files = await repository.materialise(order.commit, paths, directory, linksOf(definition))
          const environment = resolveEnvironment(definition.environment, config)
          return { rules: { definition, environment, policies: config.policies ?? [] }, files }
        },
      })
      return alone
    },
  }
}

/** What a signed source works with. */
export interface Parts {
  settings: AgentSettings
  repository: GitRepository
  held: HeldStacks
  packs: Packs
  turns: Turns
  poke(stack: string): void
}

/** What the agent holds of a stack, checked once more: a key may have been revoked since. */
async function heldStack(parts: Parts, order: Grant): Promise<Vetted> {
  const before = parts.held.of(nameOf(order.stack))
  if (before?.commit !== order.commit)
    throw new TrueupError('NOT_FOUND', { doing: `reading stack ${order.stack.name}`, why: 'its commit is not held' })
  return await check(parts, order, { pack: before.pack, before, signal: new AbortController().signal })
}

/** What was fetched and checked. */
interface Vetted extends SignedStack {
  pack: string
  paths: string[]
  signer: string
}

type Order = WatchOrder & Partial<Pick<Grant, 'kind' | 'destroy' | 'request'>>

/** What is planned and applied comes from signed commits, whoever ordered it. */
export function signedSource(parts: Parts): Omit<Source, 'close'> {
  const { settings, repository, held, packs, turns } = parts
  /** What the runs that are under way have fetched, by stack and commit. */
  const pending = new Map<string, { held: Held; order: HeldOrder }>()
  /** Runs that have begun here. */
  const inside = new Set<string>()
  const keyOf = ({ stack, commit }: Pick<Grant, 'stack' | 'commit'>): string => `${nameOf(stack)} ${commit}`

  /** Checks an order and writes its files; what is refused leaves nothing behind. */
  async function vet(order: Order, directory: string, signal: AbortSignal) {
    assertAllowed(settings, order)
    const before = held.of(nameOf(order.stack))
    const isHeld = before?.commit === order.commit
    const pack = isHeld ? packs.keep(before.pack) : await packs.take(order.stack.id, order.commit, signal, before)
    try {
      const vetted = await check(parts, order, { pack, before, signal })
      const files = await repository.materialise(order.commit, vetted.paths, directory, linksOf(vetted.definition))
      return { vetted, files, isHeld }
    } catch (thrown) {
      await packs.drop(pack)
      throw lacking(thrown, order)
    }
  }

  return {
    async fetch(grant, directory, signal) {
      inside.add(grant.runId)
      await turns.enter(nameOf(grant.stack))
      const { vetted, files, isHeld } = await vet(grant, directory, signal)
      const { pack } = vetted
      const own = believed(settings, grant, vetted)
      const order = {
        stackId: grant.stack.id,
        order: { ...withoutTokens(own), ...fromServer(settings, grant, grant) },
        rests: false,
      }
      if (grant.kind === 'preview') {
        await packs.drop(pack)
        return { grant: own, files }
      }
      // What is looked at for drift is deployed: it is this agent's from now on.
      if (grant.kind !== 'drift' && grant.kind !== 'heal')
        pending.set(keyOf(grant), { held: { commit: grant.commit, pack }, order })
      else if (isHeld) await packs.drop(pack)
      else await take(parts, order, pack)
      return { grant: own, files }
    },
    async fetchDeployed(grant, directory) {
      const before = held.of(nameOf(grant.stack))
      const doing = `reading what run ${grant.runId} replaces`
      if (!before) throw new TrueupError('NOT_FOUND', { doing, why: 'this agent holds nothing of the stack' })
      const { definition } = await signedStack(repository, before.commit, grant.stack)
      const { tree } = await repository.commit(before.commit)
      const { paths } = await builtFrom(repository, treeView(repository, tree), definition)
      return await repository.materialise(before.commit, paths, directory, linksOf(definition))
    },
    async fetchWatched(order, directory, signal) {
      const { vetted, files } = await vet(order, directory, signal)
      // Watched is what is deployed; a run takes it, with all that goes with it.
      await packs.drop(vetted.pack)
      return { order: believed(settings, order, vetted), files }
    },
    variables: (order, offered) => variablesOf(settings, order, offered),
    applying(grant) {
      const next = pending.get(keyOf(grant))
      if (next) held.begin(nameOf(grant.stack), next.held)
    },
    applied(grant, { untouched, broken }) {
      const next = pending.get(keyOf(grant))
      if (!next) return
      if (untouched) return held.untouched(nameOf(grant.stack))
      pending.delete(keyOf(grant))
      void take(parts, { ...next.order, rests: broken || grant.destroy }, next.held.pack)
    },
    drifted: ({ stack }) => parts.poke(nameOf(stack)),
    async left(grant) {
      if (inside.delete(grant.runId)) turns.leave(nameOf(grant.stack))
      const next = pending.get(keyOf(grant))
      if (!next) return
      pending.delete(keyOf(grant))
      await packs.drop(next.held.pack)
    },
  }
}

/** Tokens live as long as their run; what is kept for later holds none. */
function withoutTokens<G extends Grant>({ identityTokens: _tokens, ...order }: G): Omit<G, 'identityTokens'> {
  return order
}

/** Makes a commit that a run has taken the stack's desired state here, and removes the packs of the one before. */
async function take({ held, packs }: Parts, order: HeldOrder, pack: string): Promise<void> {
  const { stack, commit } = order.order
  const former = held.packsOf(nameOf(stack))
  held.hold(nameOf(stack), { commit, pack }, order)
  await packs.drop(pack)
  await packs.forget(former)
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

/** Of what the server offers, the variables that the configuration names. */
function fromServer(
  settings: AgentSettings,
  { stack }: Pick<Grant, 'stack'>,
  offered: Offered,
): Required<Omit<Offered, 'identityTokens'>> {
  const { serverVariables } = repositoryNamed(settings, stack.repository)
  const taken = Object.entries(offered.variables).filter(([name]) => serverVariables.includes(name))
  return {
    variables: Object.fromEntries(taken),
    formerSecrets: taken.length === 0 ? [] : (offered.formerSecrets ?? []),
  }
}

/** Tokens that the signed commit asks for; a server that could name others could set any variable. */
const tokensOf = ({ signedTokens = [] }: VariablesOrder, { identityTokens }: Offered): Offered['identityTokens'] =>
  identityTokens && Object.fromEntries(Object.entries(identityTokens).filter(([name]) => signedTokens.includes(name)))

/** Its own variables win, and those of the server over what the signed configuration says, as on the server. */
function variablesOf(settings: AgentSettings, order: VariablesOrder, offered: Offered): Offered {
  const { variables, formerSecrets } = fromServer(settings, order, offered)
  const signed = Object.entries(order.signedVariables ?? {}).map(([name, value]) => [name, { value, secret: false }])
  return {
    variables: { ...Object.fromEntries(signed), ...variables, ...settings.variables },
    formerSecrets,
    identityTokens: tokensOf(order, offered),
  }
}
