import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { checkFindings, predictedOutputs, resourceChanges } from './changes.ts'
import type { TerraformConfig } from '../config.ts'
import { coverageOf } from './coverage.ts'
import { leftAlone } from './left-alone.ts'
import { type Diagnostic, findingOf, toolError, wantsInit } from '../tool/diagnostics.ts'
import { type EventedResult, runWithEvents } from '../tool/events.ts'
import { unwrittenIgnores } from '../source/ignore.ts'
import { parsePlanJson, type PlanJson } from '../tool/plan-json.ts'
import { redactionFor } from '../../values/redaction.ts'
import { secretsOf } from '../secrets/secrets.ts'
import { resolvedPlaces } from '../place.ts'
import { openSession, type Session } from '../session.ts'
import { planStateEdit } from './state-edit.ts'
import { declaredSecrets } from '../secrets/declared.ts'
import { variableArguments } from '../source/variables.ts'
import { providerVersions } from '../tool/versions.ts'

/** A plan of 2,000 resources is 3.3 MB; a hundred times that is more than anybody reads. */
const MAX_PLAN_BYTES = 384 * 1024 * 1024

/** Where the plan file waits between plan and apply: sealed, since it holds the whole state and every secret in clear. */
export const sealedPlan = (context: DriverContext<unknown>): string => join(context.scratch, 'plan.sealed')

/** The secrets that this plan knows, sealed too: messages of the apply must not tell them either. */
export const sealedSecrets = (context: DriverContext<unknown>): string => join(context.scratch, 'secrets.sealed')

/** `plan -out`, read as JSON. Reads the real resources, changes nothing, and takes no lock in the plan phase. */
export async function plan(context: DriverContext<TerraformConfig>): Promise<DriverPlan> {
  const session = await openSession(context)
  if (context.request?.state) return await planStateEdit(context, session, context.request.state)
  const file = join(context.scratch, 'plan.tfplan')
  try {
    const diagnostics = await makePlan(context, session, file)
    const planned = await showPlan(context, session, file)
    const secrets = secretsOf(context, planned)
    await writeFile(sealedPlan(context), context.seal(await readFile(file)), { mode: 0o600 })
    await writeFile(sealedSecrets(context), context.seal(Buffer.from(JSON.stringify(secrets))), { mode: 0o600 })
    return await driverPlan(context, session, { planned, secrets, diagnostics })
  } finally {
    await rm(file, { force: true })
  }
}

async function makePlan(
  context: DriverContext<TerraformConfig>,
  session: Session,
  file: string,
): Promise<readonly Diagnostic[]> {
  const variables = await variableArguments(context)
  for (const secret of await declaredSecrets(context, session.source)) context.mask(secret)
  const attempt = (): Promise<EventedResult> => {
    const command = session.command('plan', ...planArguments(context), `-out=${file}`, ...variables)
    return runWithEvents(context, { ...command, graceMs: 10_000 })
  }
  let { result, diagnostics } = await attempt()
  if (result.exitCode === 1 && wantsInit(diagnostics)) {
    context.log('the cached init does not fit any more, preparing the directory again')
    await session.initialiseAgain()
    ;({ result, diagnostics } = await attempt())
  }
  // -detailed-exitcode: 0 nothing to do, 2 changes
  if (result.exitCode === 0 || result.exitCode === 2) return diagnostics
  throw toolError(`planning stack "${context.stack.name}" with ${session.tool.name}`, result, diagnostics)
}

function planArguments(context: DriverContext<TerraformConfig>): string[] {
  const { config, phase, destroy, request } = context
  return [
    '-input=false',
    '-json',
    '-detailed-exitcode',
    // A preview may read a state that someone is writing: its credentials do not allow a lock anyway.
    ...(phase === 'plan' ? ['-lock=false'] : [`-lock-timeout=${config.lockTimeout}`]),
    ...(destroy ? ['-destroy'] : []),
    ...(request?.targets ?? []).map((address) => `-target=${address}`),
    ...(request?.replaces ?? []).map((address) => `-replace=${address}`),
    ...(config.refresh ? [] : ['-refresh=false']),
    ...(config.parallelism === undefined ? [] : [`-parallelism=${config.parallelism}`]),
  ]
}

async function showPlan(context: DriverContext<TerraformConfig>, session: Session, file: string): Promise<PlanJson> {
  const doing = `reading the plan of stack "${context.stack.name}"`
  const result = await context.run({
    ...session.command('show', '-json', file),
    quiet: true,
    maxOutputBytes: MAX_PLAN_BYTES,
    graceMs: 2_000,
  })
  if (result.truncatedBytes > 0) {
    throw new TrueupError('TOO_LARGE', {
      doing,
      why: `as JSON it is larger than ${MAX_PLAN_BYTES / 1024 / 1024} MiB`,
      next: 'Split the stack.',
    })
  }
  // What stands in stdout holds secrets, and is no error text.
  if (result.exitCode !== 0) throw toolError(doing, { ...result, stdout: '' }, [])
  return parsePlanJson(result.stdout)
}

interface Planned {
  planned: PlanJson
  secrets: readonly string[]
  diagnostics: readonly Diagnostic[]
}

async function driverPlan(
  context: DriverContext<TerraformConfig>,
  session: Session,
  { planned, secrets, diagnostics }: Planned,
): Promise<DriverPlan> {
  const redaction = redactionFor(context, secrets)
  const warnings = diagnostics
    .filter(({ severity, summary }) => severity === 'warning' && !isCheckWarning(summary))
    .map((diagnostic) => findingOf(diagnostic, context.stack.path))
    .map((finding) => ({ ...finding, message: redaction.text(finding.message) }))
  const changes = resourceChanges(planned, redaction)
  return {
    changes,
    coverage: coverageOf(planned, { refresh: context.config.refresh }),
    outputs: context.destroy ? {} : predictedOutputs(planned, redaction),
    findings: [
      ...warnings,
      ...checkFindings(planned, redaction),
      ...leftAlone(planned, redaction),
      ...unwrittenIgnores(changes, context.ignore),
    ],
    toolVersions: { [session.tool.name]: session.tool.version, ...(await providerVersions(context)) },
    places: await resolvedPlaces(context, session),
  }
}

/** These stand in `checks` of the plan as well, with their address. */
const isCheckWarning = (summary: string): boolean => /check block assertion failed/i.test(summary)
