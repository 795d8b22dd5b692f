import type { Json, JsonObject } from '../../src/lib/json.ts'

/** A real thing of the account, as its own service would show it. Tests change `properties` behind CloudFormation's back. */
export interface RealObject {
  type: string
  physicalId: string
  properties: JsonObject
}

export interface StackResource {
  logicalId: string
  type: string
  physicalId: string
  status: string
  reason?: string
  /** Properties as the last deployment resolved them. */
  properties: JsonObject
  /** The resource in the template: its attributes beside the properties. */
  definition: JsonObject
  updated: Date
  driftStatus: 'NOT_CHECKED' | 'IN_SYNC' | 'MODIFIED' | 'DELETED'
}

export interface StackEvent {
  id: string
  logicalId: string
  physicalId: string
  type: string
  status: string
  reason?: string
  at: Date
  token?: string
}

export interface Stack {
  id: string
  name: string
  status: string
  reason?: string
  created: Date
  updated?: Date
  deleted?: Date
  /** The template as it was given, and after `Transform`. */
  body: string
  processed: JsonObject
  parameters: { [name: string]: string }
  tags: { [name: string]: string }
  capabilities: string[]
  resources: Map<string, StackResource>
  outputs: { [name: string]: { value: Json; description?: string; exportName?: string } }
  events: StackEvent[]
  policy?: string
  protected: boolean
  parent?: string
  root?: string
  driftStatus: 'NOT_CHECKED' | 'IN_SYNC' | 'DRIFTED'
  /** Set by CancelUpdateStack; the running update looks at it before every step. */
  cancelRequested: boolean
}

export interface ChangeSet {
  id: string
  name: string
  stackId: string
  type: 'CREATE' | 'UPDATE' | 'IMPORT'
  status: string
  reason?: string
  executionStatus: string
  created: Date
  body: string
  processed: JsonObject
  parameters: { [name: string]: string }
  tags: { [name: string]: string }
  capabilities: string[]
  onStackFailure?: string
  imports: { logicalId: string; type: string; identifier: { [name: string]: string } }[]
  nested: boolean
  revertDrift: boolean
  changes: PlannedChange[]
  parent?: string
}

export interface PlannedDetail {
  attribute: string
  name?: string
  path?: string
  before?: string
  after?: string
  recreation: 'Never' | 'Always' | 'Conditionally'
  changeType?: 'Add' | 'Modify' | 'Remove' | 'SyncWithActual'
  source: string
  cause?: string
  evaluation: 'Static' | 'Dynamic'
  drift?: { previous: string; actual: string }
}

export interface PlannedChange {
  action: 'Add' | 'Modify' | 'Remove' | 'Import'
  logicalId: string
  physicalId?: string
  type: string
  replacement?: 'True' | 'False' | 'Conditional'
  policyAction?: string
  scope: string[]
  details: PlannedDetail[]
  before?: string
  after?: string
  previousDeployment?: string
  driftStatus?: string
  nestedChangeSet?: string
}

export interface DriftDetection {
  id: string
  stackId: string
  status: 'DETECTION_IN_PROGRESS' | 'DETECTION_COMPLETE' | 'DETECTION_FAILED'
  reason?: string
  at: Date
}

export interface ResourceDrift {
  logicalId: string
  physicalId: string
  type: string
  status: 'IN_SYNC' | 'MODIFIED' | 'DELETED' | 'NOT_CHECKED'
  expected?: JsonObject
  actual?: JsonObject
  differences: { path: string; expected: string; actual: string; kind: 'ADD' | 'REMOVE' | 'NOT_EQUAL' }[]
  at: Date
}

/** Failures that a test orders: the next operations on the resource end with this reason. */
export interface OrderedFailure {
  logicalId: string
  on: 'CREATE' | 'UPDATE' | 'DELETE'
  reason: string
  times: number
  /** Operations that still work before it. */
  after?: number
}

/** What the real service cannot know before execution, written as it writes it. */
export const KNOWN_AFTER_APPLY = '{{changeSet:KNOWN_AFTER_APPLY}}'
