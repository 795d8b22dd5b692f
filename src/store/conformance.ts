import { afterEach, beforeEach, describe } from 'vitest'
import { auditConformance } from './conformance/audit.ts'
import { auditResealConformance } from './conformance/audit-reseal.ts'
import { claimConformance } from './conformance/claim.ts'
import { type Bench, type OpenStore, openBench } from './conformance/bench.ts'
import { leaseConformance } from './conformance/lease.ts'
import { leaseProperty } from './conformance/lease-property.ts'
import { logConformance } from './conformance/log.ts'
import { runConformance } from './conformance/runs.ts'
import { tableConformance } from './conformance/tables.ts'
import { taskConformance } from './conformance/tasks.ts'
import { transactionConformance } from './conformance/transactions.ts'

export type { OpenStore } from './conformance/bench.ts'

/**
 * What every store must do, whatever its database. `open` gives an empty one with the given clock; fewer `histories` are tried where
 * making one takes long.
 */
export function storeConformance(name: string, open: OpenStore, { histories = 60 } = {}): void {
  describe(`store: ${name}`, () => {
    let bench: Bench
    beforeEach(async () => {
      bench = await openBench(open)
    })
    afterEach(() => bench.dispose())
    const get = (): Bench => bench
    describe('transactions', () => transactionConformance(get))
    describe('runs', () => runConformance(get))
    describe('claims', () => claimConformance(get))
    describe('leases', () => leaseConformance(get))
    describe('lease invariants', () => leaseProperty(open, histories))
    describe('run logs', () => logConformance(get))
    describe('tasks', () => taskConformance(get))
    describe('audit', () => auditConformance(get))
    describe('broken audit', () => auditResealConformance(get))
    describe('tables', () => tableConformance(get))
  })
}
