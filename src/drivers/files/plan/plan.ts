import type { DriverPlan } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import type { FilesConfig } from '../config.ts'
import { ownHost, realPathOf } from '../../hosts/own-host.ts'
import { placeOn } from '../../hosts/real-path.ts'
import { normalise } from '../source/rules.ts'
import { outputsOf } from './outputs.ts'
import { withSurvey } from './survey.ts'

/** Compares the target with Git. Changes nothing on the host. Throws SOURCE_INVALID, TARGET_UNSAFE, CANCELED. */
export async function plan(context: DriverContext<FilesConfig>): Promise<DriverPlan> {
  return withSurvey(context, (survey) => ({
    changes: survey.steps.map((step) => step.change),
    coverage: survey.coverage,
    outputs: outputsOf(survey, context.destroy),
    findings: survey.findings,
    toolVersions: {},
    places: [placeOn(ownHost(), realPathOf(survey.target.path), { except: context.config.exclude.map(normalise) })],
  }))
}
