import type { Stack } from '@aws-sdk/client-cloudformation'
import { applyIgnoreToChanges, compileIgnore } from '../../../domain/plans/ignore.ts'
import type { DriverPlan, Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { redactionFor, secretInputs } from '../../values/redaction.ts'
import { type Cloud, openCloud } from '../api/cloud.ts'
import { deployedTemplate, findStack, refuseUnready, stateOf } from '../api/stacks.ts'
import type { CloudFormationConfig } from '../config.ts'
import { keepIgnored } from './ignored.ts'
import { placeOfArn } from '../place.ts'
import { prepare, readSource, type Source } from '../source/prepare.ts'
import { parseTemplate } from '../template/parse.ts'
import { cleanUp } from './change-set.ts'
import { coverageOf } from './coverage.ts'
import { planDestroy } from './destroy.ts'
import { type DriftReport, detectDrift } from './drift.ts'
import { makeChanges, release } from './make-changes.ts'
import { outputFindings } from './exports.ts'
import { predictedOutputs } from './outputs.ts'
import { isKept, kindOf, outputFacts, type Planning } from './planning.ts'
import { recreation } from './recreation.ts'
import { type PlanRecord, writeRecord } from './record.ts'
import { settingChanges } from './settings.ts'

/**
 * A change set of the template against the live stack, with what has drifted. The change set stays for the apply of a
 * deploy; that of a preview or a drift check is deleted again.
 */
export async function plan(context: DriverContext<CloudFormationConfig>): Promise<DriverPlan> {
  const cloud = await openCloud(context)
  try {
    if (context.destroy) return await planDestroy(context, cloud)
    const source = await readSource(context)
    return await planChanges(context, cloud, source)
  } finally {
    cloud.close()
  }
}

async function planChanges(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  source: Source,
): Promise<DriverPlan> {
  const doing = `planning stack "${context.stack.name}"`
  const untilMs = Date.now() + context.config.planTimeoutMinutes * 60_000
  const stack = await findStack(cloud)
  refuseUnready(stack, doing)
  const state = stateOf(stack)
  if (state === 'empty' || state === 'ready') await cleanUp(cloud, stack?.StackId ?? cloud.stackName, kindOf(context))
  const living = state === 'ready' ? stack : null

  const deployedText = living ? await deployedTemplate(cloud, living.StackId ?? cloud.stackName) : null
  const deployed = deployedText === null ? null : parseTemplate(deployedText, 'the deployed template').value
  const report = await driftOf(context, cloud, living, untilMs)
  const isIgnored = compileIgnore(context.ignore)
  const drifts = report.drifts
    .map((one) => ({
      ...one,
      differences: one.differences.filter(({ attribute }) => !isIgnored(one.address, attribute)),
    }))
    .filter(({ deleted, differences }) => deleted || differences.length > 0)

  const findings: Finding[] = keepIgnored(source.template, context.ignore, { deployed, drifts: report.drifts })
  const secrets = [...secretInputs(context), ...sensitiveValues(source)]
  const redaction = redactionFor(context, secrets)
  const planning: Planning = { context, cloud, source, stack: living, deployed, drifts, redaction, secrets, untilMs }
  const prepared = await prepare(context, cloud, source)

  const made = state === 'dead' ? recreation(planning, stack!) : await makeChanges(planning, prepared)
  const settings = await settingChanges(context, cloud, living)
  const changes = applyIgnoreToChanges([...made.changes, ...settings], context.ignore)
  const record: PlanRecord = {
    ...made.record,
    kind:
      changes.length === 0
        ? 'nothing'
        : made.changes.length === 0 && made.record.kind !== 'recreate'
          ? 'settings'
          : made.record.kind,
    secrets,
    retained: [],
    ...(stack?.StackId && { stackId: stack.StackId }),
    ...(stack?.StackStatus && { status: stack.StackStatus }),
    ...(stack?.LastUpdatedTime && { lastUpdated: stack.LastUpdatedTime.toISOString() }),
  }
  await release(planning, record, isKept(context) && record.kind !== 'nothing' && record.kind !== 'settings')
  await writeRecord(context, record)
  return {
    changes,
    coverage: coverageOf({ source, living, report, driftDetection: context.config.driftDetection }),
    outputs: predictedOutputs(living, changes, outputFacts(planning)),
    findings: [
      ...findings,
      ...made.findings,
      ...unguarded(source),
      ...(living === null ? [] : await outputFindings(cloud, living, { ...outputFacts(planning), deployed })),
    ],
    toolVersions: {},
    places: placeOfArn(stack?.StackId ?? made.record.stackOfChangeSet, cloud.endpoint),
  }
}

async function driftOf(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  living: Stack | null,
  untilMs: number,
): Promise<DriftReport> {
  if (living?.StackId === undefined || !context.config.driftDetection)
    return { drifts: [], coverage: { checked: 0, unchecked: [] }, offered: true }
  context.log('asking AWS for drift')
  return await detectDrift(cloud, living.StackId, { untilMs })
}

function sensitiveValues({ parameters }: Source): string[] {
  return [...parameters.sensitive].flatMap((name) => parameters.values[name] ?? [])
}

const unguarded = ({ parameters, template }: Source): Finding[] =>
  parameters.unguarded.map((name) => {
    const line = template.lineOf(['Parameters', name])
    return {
      severity: 'warning',
      code: 'secret_without_noecho',
      message: `parameter ${name} gets a sensitive value but is not declared NoEcho: AWS shows it to everybody who may read the stack`,
      path: template.path,
      ...(line !== undefined && { line }),
    }
  })
