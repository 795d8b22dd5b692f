import type { PlannedChange } from '../tool/plan-json.ts'
import type { ValueChange } from '../../values/attributes.ts'

/** Values and masks of a change, by the names that comparing them has. */
export const valueChange = (change: PlannedChange): ValueChange => ({
  before: change.before,
  after: change.after,
  unknown: change.after_unknown,
  beforeSensitive: change.before_sensitive,
  afterSensitive: change.after_sensitive,
})
