import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { AppliedResource, ApplyResult, DriverPlan, Finding, Output } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import { type Redaction, redactionFor } from '../../values/redaction.ts'
import { addressOf } from '../plan/changes.ts'
import type { AnsibleConfig } from '../config.ts'
import type { ResultEvent } from '../tool/events.ts'
import type { IgnoreOrders } from '../plan/ignore.ts'
import { checkPlayed, checkReached, outputsOf, play, type Played, reach } from '../plan/play.ts'
import { placeOf, sealedOrders } from '../plan/plan.ts'
import { openSession } from '../session.ts'

/** Runs the playbook for real. Ansible cannot be held to a plan: what it did beyond it is a finding. */
export async function apply(context: DriverContext<AnsibleConfig>, plan: DriverPlan): Promise<ApplyResult> {
  const doing = `applying stack "${context.stack.name}" with ansible-playbook`
  const { secrets, orders } = await unsealOrders(context, doing)
  const redaction = redactionFor(context, secrets)
  const session = await openSession(context)
  try {
    const played = await play(context, session, { check: false, ignore: orders })
    if (!hasActed(played)) {
      checkPlayed(doing, context, played)
      checkReached(doing, played)
    }
    return resultOf(context, plan, played, redaction)
  } finally {
    await session.connection.close()
  }
}

const Sealed = z.object({ secrets: z.array(z.string()), orders: z.custom<IgnoreOrders>(() => true) })

async function unsealOrders(context: DriverContext<unknown>, doing: string): Promise<z.infer<typeof Sealed>> {
  const sealed = await readFile(sealedOrders(context)).catch((cause: unknown) => {
    throw new TrueupError('PLAN_STALE', { doing, why: 'the plan of this run is gone', cause })
  })
  return Sealed.parse(JSON.parse(context.open(sealed).toString()))
}

/** A task that was begun on a host may have changed it, however it ended. */
const hasActed = ({ tasks, results, process }: Played): boolean =>
  results.some(({ control, status }) => !control && (status === 'ok' || status === 'failed')) ||
  (tasks.length > 0 && (process.canceled || process.timedOut || process.exitCode === null))

function resultOf(
  context: DriverContext<unknown>,
  plan: DriverPlan,
  played: Played,
  redaction: Redaction,
): ApplyResult {
  const { process } = played
  const { unreachable } = reach(played)
  const failed = played.results.filter(({ status, ignored, rescued }) => status === 'failed' && !ignored && !rescued)
  const findings: Finding[] = [...unreachable].map(([host, why]) => ({
    severity: 'error',
    code: 'host_unreachable',
    message: redaction.text(`${host} did not answer, so nothing (more) was done there: ${why}`),
  }))
  for (const result of failed) findings.push(failure(context, result, redaction))
  const complete = process.exitCode === 0 && failed.length === 0 && unreachable.size === 0
  if (!complete && findings.length === 0 && !process.canceled) findings.push(ended(process.stderr, redaction))
  const resources = resourcesOf(plan, played, redaction)
  return {
    status: complete ? 'applied' : process.canceled ? 'canceled' : 'failed',
    resources,
    outputs: complete ? realOutputs(played, redaction) : {},
    findings,
  }
}

const ended = (stderr: string, redaction: Redaction): Finding => ({
  severity: 'error',
  code: 'ended_early',
  message: redaction.text(`Ansible ended before the end of the playbook: ${stderr.trim().slice(-2_000)}`),
})

function failure(context: DriverContext<unknown>, result: ResultEvent, redaction: Redaction): Finding {
  return {
    severity: 'error',
    code: 'task_failed',
    message: redaction.text(`${addressOf(result, redaction)}: ${result.message ?? 'it failed'}`),
    ...placeOf(context, result.path),
  }
}

function resourcesOf(plan: DriverPlan, played: Played, redaction: Redaction): AppliedResource[] {
  const seen = new Map<string, AppliedResource>()
  for (const result of played.results) {
    const address = addressOf(result, redaction)
    if (result.status === 'failed' && !result.ignored && !result.rescued) {
      const message = redaction.text(result.message ?? 'it failed')
      seen.set(address, { address, actions: actionsOf(plan, address), status: 'failed', message })
    } else if (result.changed && !seen.has(address)) {
      seen.set(address, { address, actions: actionsOf(plan, address), status: 'done' })
    }
  }
  const ran = new Set(played.results.filter(({ status }) => status === 'ok').map((each) => addressOf(each, redaction)))
  const missing = plan.changes
    .filter(({ address }) => !seen.has(address))
    // It ran and found everything as wanted: an earlier task, or somebody else, has done it.
    .map(
      ({ address, actions }): AppliedResource => ({ address, actions, status: ran.has(address) ? 'done' : 'skipped' }),
    )
  return [...seen.values(), ...missing]
}

const actionsOf = (plan: DriverPlan, address: string): AppliedResource['actions'] =>
  plan.changes.find((change) => change.address === address)?.actions ?? ['update']

/** Other stacks need the real values, also of secrets; the server seals those. */
function realOutputs(played: Played, redaction: Redaction): { [name: string]: Output } {
  const output = (value: Json): Output => ({ value, sensitive: redaction.value(value, false).sensitive })
  return Object.fromEntries(Object.entries(outputsOf(played)).map(([name, value]) => [name, output(value)]))
}
