/** What every driver promises (docs/drivers/conformance.md), by the name that the table gives it. */
export const PROPERTIES = {
  'validate-offline': '`validate` changes nothing and needs no target',
  'plan-read-only': '`plan` changes nothing',
  'apply-exact': '`apply` does exactly the plan',
  'second-plan-empty': 'a second plan is empty',
  'plan-stable': 'two plans of one commit are equal',
  'drift-exact': 'tampering shows as drift at the tampered attribute and only there',
  heal: 'applying again removes the drift',
  ignore: 'ignore rules hold in the diff and in writes',
  secrets: 'sensitive values never leave the worker',
  cancel: 'cancel ends the apply, says so, and leaves no process',
  'missing-tool': 'a missing tool is TOOL_MISSING, with how to get it',
  'dead-target': 'a dead target is TARGET_UNREACHABLE, or named as not checked',
  'broken-source': 'a broken source is SOURCE_INVALID or a finding with its place',
  'half-failed': 'a half-failed apply names what was done and what was not',
  coverage: 'what cannot be checked is named, with the reason',
  destroy: 'destroying removes what was made, and is then done',
} as const

export type PropertyName = keyof typeof PROPERTIES
