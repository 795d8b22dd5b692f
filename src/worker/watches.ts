import { setTimeout as sleep } from 'node:timers/promises'
import type { Watch } from '../drivers/driver.ts'
import { driverNamed } from '../drivers/registry.ts'
import { digestOf } from '../lib/digest.ts'
import { asTrueupError } from '../lib/errors/error.ts'
import { pause } from '../lib/retry.ts'
import type { WatchOrder } from './protocol.ts'
import { createMasker } from './runs/masking.ts'
import type { RunnerParts } from './runs/parts.ts'
import { decryptTree } from './sops/decrypt-tree.ts'
import { buildContext } from './runs/run-context.ts'
import type { Workspace } from './workspace.ts'

/** Events of one stack are collected this long: an editor's save is five of them. */
const COALESCE_MS = 150
const SET_UP_PAUSES = { first: 5_000, longest: 60_000 }

export interface WatchesOptions {
  parts: RunnerParts
  /** A run of this runner is changing the stack: what it causes is no drift, and is told only when it is over. */
  busy: (stackId: string) => boolean
}

/** Keeps exactly the watches that the server has ordered. */
export interface Watches {
  /** What is not among the orders ends: of all watches, or of the stacks `of` alone. */
  set(orders: readonly WatchOrder[], of?: readonly string[]): void
  count(): number
  close(): Promise<void>
}

interface Kept {
  digest: string
  stop: AbortController
  done: Promise<void>
}

/** Stands for "something may have changed" among the addresses of an event. */
const UNKNOWN = '*'

export function keepWatches({ parts, busy }: WatchesOptions): Watches {
  const kept = new Map<string, Kept>()

  function set(orders: readonly WatchOrder[], of?: readonly string[]): void {
    const wanted = new Map(orders.map((order) => [order.stack.id, order]))
    const spokenOf = of && new Set(of)
    for (const [stackId, watch] of kept) {
      if (spokenOf && !spokenOf.has(stackId)) continue
      const order = wanted.get(stackId)
      if (order && digestOf(order) === watch.digest) wanted.delete(stackId)
      else watch.stop.abort()
    }
    for (const [stackId, order] of wanted) {
      const before = kept.get(stackId)?.done ?? Promise.resolve()
      const stop = new AbortController()
      const done = before.then(() => keep(order, stop.signal))
      kept.set(stackId, { digest: digestOf(order), stop, done })
    }
    for (const [stackId, watch] of kept) if (watch.stop.signal.aborted) kept.delete(stackId)
  }

  /** Watches until told to stop; a watch that cannot be set up is tried again. */
  async function keep(order: WatchOrder, signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await watchOnce(order, signal)
      } catch (thrown) {
        const error = asTrueupError(thrown, `watching ${order.stack.name}`)
        if (!signal.aborted) parts.log.warn({ stack: order.stack.name, why: error.message }, 'watch not possible')
        await pause(failures, SET_UP_PAUSES, signal)
      }
    }
  }

  async function watchOnce(order: WatchOrder, signal: AbortSignal): Promise<void> {
    const workspace = await parts.workspaces.create(`watch-${order.stack.id}`)
    const reports = reportDrift(order, signal)
    let watch: Watch | undefined
    try {
      watch = await startWatch(order, workspace, signal, reports)
      // Nobody looked until now: while this runner was away or could not watch, and between the end of a deployment and
      // this watch, which knows files that the one before it did not. What changed must not wait for the next regular check.
      if (watch) reports([UNKNOWN])
      await aborted(signal)
    } finally {
      await watch?.close()
      await parts.workspaces.remove(workspace)
    }
  }

  async function startWatch(
    order: WatchOrder,
    workspace: Workspace,
    signal: AbortSignal,
    onEvent: (addresses: string[]) => void,
  ): Promise<Watch | undefined> {
    const driver = driverNamed(order.driver)
    if (!driver.watch) return undefined
    const { order: believed, files } = await parts.source.fetchWatched(order, workspace.tree, signal)
    workspace.keptLinks = new Map(files.keptLinks)
    const { cacheRoot, passEnv, registry, graceMs } = parts
    const masker = createMasker()
    if (believed.sops) await decryptTree(workspace.tree, { env: process.env, hide: masker.add })
    const context = await buildContext(driver, {
      order: believed,
      phase: 'plan',
      ...parts.source.variables(believed, believed),
      workspace,
      masker,
      cacheRoot,
      passEnv,
      registry,
      graceMs,
      signal,
      log: (line) => parts.log.debug({ stack: order.stack.name, line: masker.text(line) }, 'watch'),
    })
    const watch = await driver.watch(context, onEvent)
    for (const { message } of watch.findings ?? []) parts.log.warn({ stack: order.stack.name, why: message }, 'watch')
    return watch
  }

  function reportDrift(order: WatchOrder, signal: AbortSignal): (addresses: string[]) => void {
    const stackId = order.stack.id
    const pending = new Set<string>()
    let running = false
    const drain = async () => {
      running = true
      try {
        while (pending.size > 0 && !signal.aborted) {
          await sleep(COALESCE_MS, undefined, { signal })
          if (busy(stackId)) continue
          const addresses = [...pending]
          pending.clear()
          await parts.link.deliver('drifted', { stackId, addresses }, signal)
        }
      } catch (thrown) {
        if (!signal.aborted) parts.log.warn({ stackId, err: thrown }, 'drift not reported')
      } finally {
        running = false
      }
    }
    return (addresses) => {
      // Told at once: the server may be away, and its turn never come.
      parts.source.drifted(order)
      for (const address of addresses) pending.add(address)
      if (!running) void drain()
    }
  }

  return {
    set,
    count: () => kept.size,
    async close() {
      const all = [...kept.values()]
      kept.clear()
      for (const watch of all) watch.stop.abort()
      await Promise.all(all.map(({ done }) => done))
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
