import { asText } from '../template/text.ts'
import type { Stack } from '@aws-sdk/client-cloudformation'
import type { Coverage } from '../../../domain/plans/plan.ts'
import { resourcesIn } from '../source/expressions.ts'
import type { Source } from '../source/prepare.ts'
import type { DriftReport } from './drift.ts'

interface CoverageFacts {
  source: Source
  living: Stack | null
  report: DriftReport
  driftDetection: boolean
}

/**
 * What was looked at. A change set sees templates, not reality, so only what drift detection has looked at is checked.
 * A resource that does not exist yet cannot have drifted; of custom resources nobody but their function knows.
 */
export function coverageOf({ source, living, report, driftDetection }: CoverageFacts): Coverage {
  const resources = resourcesIn(source.template.value)
  if (living !== null && !driftDetection) {
    const why = 'planned with driftDetection: false'
    return { checked: 0, unchecked: resources.map(([address]) => ({ address, why })) }
  }
  const known = new Set(report.coverage.unchecked.map(({ address }) => address))
  const custom = resources
    .filter(([address, { Type: type }]) => isCustom(asText(type)) && !known.has(address))
    .map(([address, { Type: type }]) => ({
      address,
      why: `${asText(type)} is a custom resource: AWS does not know what it makes`,
    }))
  const created = living === null ? resources.length - custom.length : 0
  return { checked: report.coverage.checked + created, unchecked: [...report.coverage.unchecked, ...custom] }
}

const isCustom = (type: string): boolean =>
  type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource'
