import { changeTables } from './tables/changes.ts'
import { driftTables } from './tables/drift.ts'
import { machineryTables } from './tables/machinery.ts'
import { peopleTables } from './tables/people.ts'
import { stackTables } from './tables/stacks.ts'
import { stateTables } from './tables/terraform-state.ts'
import type { Bench } from './bench.ts'

/** What every table must do beside runs, tasks and the audit chain. */
export function tableConformance(bench: () => Bench): void {
  for (const tables of [changeTables, peopleTables, stackTables, driftTables, stateTables, machineryTables])
    tables(bench)
}
