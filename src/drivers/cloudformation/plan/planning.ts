import type { Stack } from '@aws-sdk/client-cloudformation'
import type { JsonObject } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { Redaction } from '../../values/redaction.ts'
import type { Cloud } from '../api/cloud.ts'
import type { CloudFormationConfig } from '../config.ts'
import type { Source } from '../source/prepare.ts'
import type { ResourceDrift } from './drift.ts'

/** Everything about one plan that its parts look at. */
export interface Planning {
  context: DriverContext<CloudFormationConfig>
  cloud: Cloud
  source: Source
  stack: Stack | null
  deployed: JsonObject | null
  /** Drift that is not ignored. */
  drifts: ResourceDrift[]
  redaction: Redaction
  secrets: string[]
  untilMs: number
}

export const kindOf = ({ kind, phase }: DriverContext<unknown>): string =>
  kind ?? (phase === 'apply' ? 'deploy' : 'preview')

/** Only a run that may apply keeps its change set. */
export const isKept = (context: DriverContext<unknown>): boolean =>
  ['deploy', 'heal', 'destroy'].includes(kindOf(context))

export const outputFacts = ({ source, redaction }: Planning) => ({
  template: source.template.value,
  parameters: source.parameters.values,
  sensitive: source.parameters.sensitive,
  redaction,
})
