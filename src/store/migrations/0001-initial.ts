import { audit } from './0001-initial/audit.ts'
import { repositories } from './0001-initial/changes.ts'
import { drift } from './0001-initial/drift.ts'
import { machinery } from './0001-initial/machinery.ts'
import { people } from './0001-initial/people.ts'
import { runs } from './0001-initial/runs.ts'
import { settings } from './0001-initial/settings.ts'
import { stacks } from './0001-initial/stacks.ts'
import { terraformState } from './0001-initial/terraform-state.ts'
import type { Migration, MigrationStep } from './migration.ts'

/** A table comes after those that it refers to. */
const STEPS: readonly MigrationStep[] = [
  people,
  repositories,
  stacks,
  runs,
  drift,
  settings,
  terraformState,
  machinery,
  audit,
]

/** Every table of the first release; what the columns mean stands in `store/database/schema.ts`. */
export const initial: Migration = {
  number: 1,
  name: 'initial',
  breaking: true,
  async up(db, dialect) {
    for (const step of STEPS) await step(db, dialect)
  },
}
