import type { Json } from '../../lib/json.ts'
import type { RunKind } from '../runs/run.ts'

/** A stack's identity for people and in approvals: `environment/name` within one repository. */
export type StackKey = string

export const stackKey = (environment: string, name: string): StackKey => `${environment}/${name}`

export interface ResolvedInput {
  value: Json
  sensitive: boolean
  /** True when it is a prediction from an upstream preview, not a deployed output. */
  predicted?: boolean
}

export type Phase = 'plan' | 'apply'
export const phaseOf = (kind: RunKind): Phase => (kind === 'preview' || kind === 'drift' ? 'plan' : 'apply')
