import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ApplyResult, DriverPlan, Finding } from '../../../domain/plans/plan.ts'
import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { type AppliedTracker, trackApplied } from './applied.ts'
import { PATIENT_RETRIES } from '../tool/backend.ts'
import type { TerraformConfig } from '../config.ts'
import { type Diagnostic, findingOf, toolError } from '../tool/diagnostics.ts'
import { type EventedResult, runWithEvents } from '../tool/events.ts'
import { readOutputs } from '../plan/outputs.ts'
import { sealedPlan, sealedSecrets } from '../plan/plan.ts'
import { redactionFor } from '../../values/redaction.ts'
import { openSession, type Session } from '../session.ts'
import { applyStateEdit } from '../plan/state-edit.ts'
import { declaredSecrets } from '../secrets/declared.ts'
import { variableArguments } from '../source/variables.ts'
import { rescueState } from './rescue.ts'

/**
 * From the first SIGINT the tool starts nothing new, waits for what its providers are doing and saves the state. Killed
 * before that, it loses what it made: objects nobody knows of. So it gets longer than others.
 */
const APPLY_GRACE_MS = 120_000

/** Applies exactly the plan file of the preceding plan. PLAN_STALE where the state has moved on since. */
export async function apply(context: DriverContext<TerraformConfig>, plan: DriverPlan): Promise<ApplyResult> {
  const session = await openSession(context)
  if (context.request?.state) return await applyStateEdit(context, session, plan)
  const file = join(context.scratch, 'apply.tfplan')
  const tracker = trackApplied(plan.changes)
  try {
    await unsealPlan(context, file)
    const redact = await textRedaction(context)
    const evented = withoutSecrets(await runApply(context, session, file, tracker), redact)
    const findings = await rescueState(context, session)
    return await applyResult(context, session, { evented, tracker, findings })
  } finally {
    await rm(file, { force: true })
  }
}

async function unsealPlan(context: DriverContext<TerraformConfig>, file: string): Promise<void> {
  const sealed = await readFile(sealedPlan(context)).catch((cause: unknown) => {
    throw new TrueupError('PLAN_STALE', {
      doing: `applying stack "${context.stack.name}"`,
      why: 'the plan file of this run is gone',
      cause,
    })
  })
  await writeFile(file, context.open(sealed), { mode: 0o600 })
}

async function runApply(
  context: DriverContext<TerraformConfig>,
  session: Session,
  file: string,
  tracker: AppliedTracker,
): Promise<EventedResult> {
  const { lockTimeout, parallelism } = context.config
  for (const secret of await declaredSecrets(context, session.source)) context.mask(secret)
  const command = session.command(
    'apply',
    '-input=false',
    '-json',
    `-lock-timeout=${lockTimeout}`,
    ...(parallelism === undefined ? [] : [`-parallelism=${parallelism}`]),
    // Beside a plan file older tools take no variables at all; ephemeral ones must be given once more.
    ...(session.source.hasEphemeral ? await variableArguments(context) : []),
    file,
  )
  const env = session.backend.kind === 'trueup' ? { ...command.env, ...PATIENT_RETRIES } : command.env
  return runWithEvents(context, { ...command, env, graceMs: APPLY_GRACE_MS }, (event) => tracker.onEvent(event))
}

/** Messages of providers may quote what they were given. */
async function textRedaction(context: DriverContext<TerraformConfig>): Promise<(text: string) => string> {
  const secrets = z.array(z.string()).parse(JSON.parse(context.open(await readFile(sealedSecrets(context))).toString()))
  return redactionFor(context, secrets).text
}

function withoutSecrets({ result, diagnostics }: EventedResult, redact: (text: string) => string): EventedResult {
  const clean = diagnostics.map((one) => ({ ...one, summary: redact(one.summary), detail: redact(one.detail) }))
  return { result, diagnostics: clean }
}

interface Ended {
  evented: EventedResult
  tracker: AppliedTracker
  findings: Finding[]
}

async function applyResult(
  context: DriverContext<TerraformConfig>,
  session: Session,
  { evented, tracker, findings }: Ended,
): Promise<ApplyResult> {
  const { result, diagnostics } = evented
  const all = [...findings, ...diagnostics.map((diagnostic) => findingOf(diagnostic, context.stack.path))]
  if (result.exitCode === 0 || (tracker.allDone() && onlyUnlockFailed(diagnostics))) {
    const resources = tracker.resources({ succeeded: true, diagnostics })
    const outputs = context.destroy ? {} : await readOutputs(context, session).catch(asTrueup)
    if (!(outputs instanceof TrueupError)) return { status: 'applied', resources, outputs, findings: all }
    // Other stacks would go on with old outputs: the deploy has not succeeded, and what was done must not get lost.
    all.push({ severity: 'error', code: 'outputs_unread', message: outputs.message })
    return { status: 'failed', resources, outputs: {}, findings: all }
  }
  if (!tracker.started() && findings.length === 0 && result.signal !== 'SIGKILL') {
    throw toolError(`applying stack "${context.stack.name}" with ${session.tool.name}`, result, diagnostics)
  }
  if (result.signal === 'SIGKILL') all.push(killed(session))
  return {
    status: result.canceled ? 'canceled' : 'failed',
    resources: tracker.resources({ succeeded: false, diagnostics }),
    outputs: {},
    findings: all,
  }
}

const asTrueup = (thrown: unknown): TrueupError => asTrueupError(thrown, 'reading the outputs')

/** Everything was done and saved; only giving the lock back did not work. The work stands. */
function onlyUnlockFailed(diagnostics: readonly Diagnostic[]): boolean {
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  return errors.length > 0 && errors.every(({ summary }) => /error releasing the state lock/i.test(summary))
}

const killed = (session: Session): Finding => ({
  severity: 'error',
  code: 'tool_killed',
  message: `${session.tool.name} had to be killed before it saved its state: objects it made last may be missing there; look for them and import or delete them`,
})
