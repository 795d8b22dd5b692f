import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'

/** What apply needs of the plan, sealed in the scratch directory: it holds templates and parameters in clear. */
export interface PlanRecord {
  kind: 'nothing' | 'execute' | 'heal' | 'recreate' | 'settings' | 'destroy'
  /** The stack as it was planned upon; apply refuses another. */
  stackId?: string
  status?: string
  lastUpdated?: string
  changeSetId?: string
  type?: 'CREATE' | 'UPDATE' | 'IMPORT'
  /** Drifted resources of the stack itself, for a heal without `REVERT_DRIFT`. */
  heal?: { address: string; deleted: boolean; live: { [property: string]: unknown }; names: string[] }[]
  /** Drifted addresses that neither way can bring back, and why. */
  unhealable: { address: string; why: string }[]
  secrets: string[]
  retained: string[]
}

const file = (context: DriverContext<unknown>): string => join(context.scratch, 'cloudformation.sealed')

export async function writeRecord(context: DriverContext<unknown>, record: PlanRecord): Promise<void> {
  await writeFile(file(context), context.seal(Buffer.from(JSON.stringify(record))), { mode: 0o600 })
}

/** PLAN_STALE where this run has none. */
export async function readRecord(context: DriverContext<unknown>): Promise<PlanRecord> {
  const sealed = await readFile(file(context)).catch((cause: unknown) => {
    throw new TrueupError('PLAN_STALE', {
      doing: `applying stack "${context.stack.name}"`,
      why: 'the plan of this run is gone',
      cause,
    })
  })
  return JSON.parse(context.open(sealed).toString('utf8')) as PlanRecord
}
