import { readFile } from 'node:fs/promises'
import type { ApplyResult, DriverPlan, ResourceChange } from '../../../domain/plans/plan.ts'
import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { onEachHost } from '../../hosts/each.ts'
import { addressPrefix } from '../../hosts/host.ts'
import { changesOn, hasWork, type HostResult, resultOfHosts, skippedBecause, UNCHANGED } from '../../hosts/outcomes.ts'
import { redactionFor, secretInputs } from '../../values/redaction.ts'
import { appliedResources, fromLines } from './applied.ts'
import type { ChefConfig } from '../config.ts'
import { at, placeOfRun } from '../tool/place.ts'
import { endedEarly, exitFinding, SUCCESSFUL_EXITS } from '../tool/exit-codes.ts'
import { type Kept, keptPlan } from '../plan/plan.ts'
import { runError } from '../plan/run-error.ts'
import { openSession, prepare, type Session } from '../session.ts'

/** From the first signal Chef ends the resource it is at. */
const GRACE_MS = 15_000

/** Converges the hosts that have work in the preceding plan. */
export async function apply(context: DriverContext<ChefConfig>, plan: DriverPlan): Promise<ApplyResult> {
  const kept = await readKept(context)
  const prepared = await prepare(context)
  const outcomes = await onEachHost(context, async (host): Promise<HostResult> => {
    const changes = changesOn(plan, host.name)
    if (!hasWork(plan, host.name)) return UNCHANGED
    return await applyOn(context, await openSession(context, host, prepared), changes, kept[host.name] ?? {})
  })
  return resultOfHosts(outcomes, plan)
}

async function readKept(context: DriverContext<unknown>): Promise<Kept> {
  const text = await readFile(keptPlan(context), 'utf8').catch((cause: unknown) => {
    throw new TrueupError('PLAN_STALE', {
      doing: `applying stack "${context.stack.name}"`,
      why: 'what the plan of this run left is gone',
      cause,
    })
  })
  return JSON.parse(text) as Kept
}

async function applyOn(
  context: DriverContext<ChefConfig>,
  session: Session,
  changes: ResourceChange[],
  ignored: { [resource: string]: string[] },
): Promise<HostResult> {
  const { host } = session
  const prefix = addressPrefix(host)
  const doing = `applying stack "${context.stack.name}"${host.name === '' ? '' : ` on host "${host.name}"`}`
  const { text: redact } = redactionFor(context, secretInputs(context))
  const lines: string[] = []
  try {
    const onLine = (line: string): void => void lines.push(line)
    const { result, report } = await session.run({ whyRun: false, ignored, graceMs: GRACE_MS, onLine })
    if (result.canceled || result.timedOut) {
      return { status: 'canceled', resources: fromLines(lines, changes, prefix), findings: [] }
    }
    // Resources with `compile_time`, or run by a recipe itself, come before the converge.
    const touched = report?.resources.some(({ status, why_run }) => !why_run && /^(updated|failed)$/.test(status))
    if (report === null || (!report.converging && !touched)) {
      const error = runError(context, session, { doing, result, report })
      const resources = changes.map((change) => skippedBecause(change, error.text.why))
      return { status: 'unchanged', resources, findings: [], error }
    }
    const { resources, findings } = appliedResources(report, changes, prefix, {
      redact,
      repositoryPath: session.repositoryPath,
    })
    const broken = !report.success || !SUCCESSFUL_EXITS.has(result.exitCode ?? 1)
    if (broken && report.error && !findings.some(({ severity }) => severity === 'error')) {
      const place = at(placeOfRun(report, session.repositoryPath))
      findings.push({ severity: 'error', message: redact(`${prefix}${report.error}`), ...place })
    }
    const missed = resources.filter(({ status }) => status === 'skipped').map(({ address }) => address)
    if (!broken && missed.length > 0) findings.push(endedEarly(result.exitCode, missed))
    const failed = broken || missed.length > 0
    return {
      status: failed ? 'failed' : 'applied',
      resources,
      findings: [...findings, ...exitFinding(result.exitCode, host.name)],
    }
  } catch (thrown) {
    const error = asTrueupError(thrown, doing)
    return {
      status: 'failed',
      resources: fromLines(lines, changes, prefix),
      findings: [{ severity: 'error', code: error.code.toLowerCase(), message: `${error.message}. ${error.next}` }],
    }
  }
}
