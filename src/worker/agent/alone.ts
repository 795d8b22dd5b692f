import { setTimeout as sleep } from 'node:timers/promises'
import type { AppliedResource } from '../../domain/plans/plan.ts'
import { driverNamed } from '../../drivers/registry.ts'
import type { Materialised } from '../../git/repository.ts'
import { asTrueupError } from '../../lib/errors/error.ts'
import type { AloneReport } from '../protocol.ts'
import { createMasker } from '../runs/masking.ts'
import { maskPlan } from '../runs/mask-results.ts'
import type { RunnerParts } from '../runs/parts.ts'
import { decryptTree } from '../sops/decrypt-tree.ts'
import { buildContext } from '../runs/run-context.ts'
import { decideHeal, type HealRules, NO_HEALS } from './heal-alone.ts'
import type { HeldOrder, HeldStacks } from './held.ts'
import type { Reports } from './reports.ts'
import type { Turns } from './turns.ts'

const TICK_MS = 500
/** After a look that ended with an error. */
const AFTER_ERROR_MS = 60_000
/** Addresses that one report names. */
const MOST_ADDRESSES = 50

export interface AloneOptions {
  parts: RunnerParts
  held: HeldStacks
  reports: Reports
  turns: Turns
  /** How long the server must be away, milliseconds. */
  afterMs: number
  /** Checks what is held once more, writes its files, and says what the signed commit has about it. */
  prepare: (order: HeldOrder, directory: string) => Promise<{ rules: HealRules; files: Materialised }>
}

/** Heals on its own while the server is away, and reports when it is back. */
export interface Alone {
  /** Something at the stack's target may have changed. */
  poke(stack: string): void
  close(): Promise<void>
}

export function startAlone({ parts, held, reports, turns, afterMs, prepare }: AloneOptions): Alone {
  const over = new AbortController()
  /** Stack → when to look at it next; absent means now. */
  const due = new Map<string, number>()
  /** Stacks at which something happened since their last look began. */
  const poked = new Set<string>()
  /** Stack → what was told of it last: the same is not told again at every look. */
  const told = new Map<string, string>()
  let wasAlone = false
  const running = loop()
  return {
    poke(stack) {
      poked.add(stack)
      due.delete(stack)
    },
    async close() {
      over.abort()
      await running
    },
  }

  async function loop(): Promise<void> {
    while (!over.signal.aborted) {
      await (parts.link.awayMs() >= afterMs ? lookAtAll() : deliver()).catch((error: unknown) =>
        parts.log.warn({ why: asTrueupError(error, 'working alone').message }, 'not done while the server is away'),
      )
      await sleep(TICK_MS, undefined, { signal: over.signal }).catch(() => {})
    }
  }

  async function lookAtAll(): Promise<void> {
    if (!wasAlone) {
      parts.log.warn({ stacks: held.stacks().length }, 'the server is away: healing alone')
      due.clear()
      told.clear()
    }
    wasAlone = true
    for (const stack of held.stacks()) {
      if (over.signal.aborted) return
      if ((due.get(stack) ?? 0) > Date.now()) continue
      const order = held.order(stack)
      // Half-way states are for the server and its people.
      if (order === undefined || order.rests) continue
      await turns.alone(stack, () => lookAt(stack, order))
    }
  }

  async function lookAt(stack: string, order: HeldOrder): Promise<void> {
    poked.delete(stack)
    due.set(stack, Date.now() + AFTER_ERROR_MS)
    const tell = (report: Omit<AloneReport, 'number' | 'stackId' | 'commit' | 'at'>) => {
      const words = JSON.stringify(report)
      if (report.outcome !== 'healed' && told.get(stack) === words) return
      told.set(stack, words)
      reports.add({ stackId: order.stackId, commit: order.order.commit, at: Date.now(), ...report })
      parts.log.info({ stack, outcome: report.outcome, why: report.why }, 'looked at alone')
    }
    const workspace = await parts.workspaces.create(`alone-${order.order.stack.id}`)
    try {
      const { rules, files } = await prepare(order, workspace.tree)
      workspace.keptLinks = new Map(files.keptLinks)
      const { runId: _, ...own } = order.order
      const driver = driverNamed(own.driver)
      const masker = createMasker()
      if (rules.definition.sops) await decryptTree(workspace.tree, { env: process.env, hide: masker.add })
      const { cacheRoot, passEnv, registry, graceMs } = parts
      const context = await buildContext(driver, {
        order: { ...own, kind: 'heal' },
        phase: 'apply',
        ...parts.source.variables({ ...own, signedVariables: rules.definition.variables }, own),
        workspace,
        masker,
        cacheRoot,
        passEnv,
        registry,
        graceMs,
        signal: over.signal,
        log: (line) => parts.log.debug({ stack, line: masker.text(line) }, 'alone'),
      })
      await driver.versions(context)
      const found = await driver.plan(context)
      const memory = held.heals(stack) ?? NO_HEALS
      const now = Date.now()
      const facts = { memory, now, desiredDigest: order.order.desiredDigest }
      const judged = decideHeal(maskPlan(found, masker, context), rules, facts)
      held.setHeals(stack, judged.memory)
      due.set(stack, now + rules.definition.drift.intervalMs)
      const { decision } = judged
      const addresses = judged.plan.changes.map(({ address }) => address).slice(0, MOST_ADDRESSES)
      if (decision.action === 'nothing') return void told.delete(stack)
      if (decision.action === 'leave') {
        if (decision.again !== undefined) due.set(stack, Math.min(decision.again, due.get(stack)!))
        if (decision.outcome !== 'backoff')
          tell({ outcome: decision.outcome, why: masker.text(decision.why), addresses })
        return
      }
      held.setHeals(stack, decision.memory)
      const result = await driver.apply(context, found)
      const healed = result.status === 'applied'
      const why = healed ? '' : masker.text(failures(result.resources))
      tell({ outcome: healed ? 'healed' : 'failed', why, addresses })
      // What is left, or came meanwhile, is seen at the next look; it waits as long as it must.
      if (!healed) due.delete(stack)
    } catch (thrown) {
      if (over.signal.aborted) return
      const { code, text } = asTrueupError(thrown, `looking at ${stack}`)
      tell({ outcome: 'failed', why: `${code}: ${text.why}`.slice(0, 1_000), addresses: [] })
    } finally {
      if (poked.has(stack)) due.delete(stack)
      await parts.workspaces.remove(workspace)
    }
  }

  /** In their order, one after the other; what the server has is forgotten. */
  async function deliver(): Promise<void> {
    if (parts.link.awayMs() > 0) return
    if (wasAlone) parts.log.info({}, 'the server is back')
    wasAlone = false
    for (let report = reports.first(); report && !over.signal.aborted; report = reports.first()) {
      try {
        await parts.link.call('report', report)
      } catch (thrown) {
        const { code, retryable, message } = asTrueupError(thrown, 'reporting what was done alone')
        if (retryable) return
        // The stack is another's by now: nobody would ever take it.
        parts.log.warn({ code, why: message }, 'a report is not wanted')
      }
      reports.remove(report.number)
    }
  }
}

const failures = (resources: readonly AppliedResource[]): string =>
  resources
    .filter(({ status }) => status === 'failed')
    .slice(0, 5)
    .map(({ address, message }) => `${address}: ${message ?? 'failed'}`)
    .join('; ')
    .slice(0, 1_000) || 'the tool stopped half-way'
