import { TrueupError } from '../lib/errors/error.ts'
import { DriftRecord } from '../server/schemas/drift.ts'
import { RunSummary } from '../server/schemas/plans.ts'
import { Stack } from '../server/schemas/stacks.ts'
import type { Client } from './client.ts'
import { collect } from './output.ts'

export interface StackOrders {
  runs: RunSummary[]
  /** Stacks for which there is none now, and why. */
  skipped: { stack: string; why: string }[]
}

export interface StackOrderWish {
  /** Of the repository. */
  path: string
  what: 'checks' | 'heals' | 'codifications'
  stacks: readonly string[]
  /** Every stack of it that was ever deployed. */
  environment?: string
}

/**
 * Orders a run for each stack. One that cannot have it now (it is being changed, for one) is left out when it is one of
 * several, and an error when it was the only one asked for.
 */
export async function orderForStacks(client: Client, wish: StackOrderWish): Promise<StackOrders> {
  const { path, what, environment } = wish
  const stacks = environment === undefined ? wish.stacks : await deployedStacks(client, path, environment)
  const orders: StackOrders = { runs: [], skipped: [] }
  for (const stack of stacks) {
    try {
      orders.runs.push(await client.send('POST', `${path}/drift/${what}`, RunSummary, { stack }))
    } catch (error) {
      if (!(error instanceof TrueupError) || error.code !== 'CONFLICT') throw error
      const underWay = what === 'checks' ? await checkUnderWay(client, path, stack) : undefined
      if (underWay) orders.runs.push(underWay)
      else if (environment === undefined && stacks.length === 1) throw error
      else orders.skipped.push({ stack, why: error.text.why })
    }
  }
  return orders
}

async function deployedStacks(client: Client, path: string, environment: string): Promise<string[]> {
  const all = await collect(client.all(`${path}/stacks`, Stack, { environment }))
  if (all.length === 0)
    throw new TrueupError('NOT_FOUND', {
      doing: `looking for stacks of environment "${environment}"`,
      why: 'there are none',
      next: '`trueup status` shows the environments.',
    })
  return all.filter(({ deployed }) => deployed.commit !== null).map((row) => `${row.environment}/${row.name}`)
}

/** A check that somebody (or the clock) has just ordered answers the same question. */
async function checkUnderWay(client: Client, path: string, stack: string): Promise<RunSummary | undefined> {
  for await (const run of client.all(`${path}/runs`, RunSummary, { kind: 'drift', limit: 50 }))
    if (run.stack === stack) return run.finishedAt === null ? run : undefined
  return undefined
}

/** What these checks found: also what has been healed since, but nothing that people have accepted. */
export async function driftFound(client: Client, path: string, checks: readonly RunSummary[]): Promise<DriftRecord[]> {
  const found: DriftRecord[] = []
  for (const { stack, createdAt } of checks) {
    found.push(...(await collect(client.all(`${path}/drift`, DriftRecord, { stack, state: 'open' }))))
    for await (const record of client.all(`${path}/drift`, DriftRecord, { stack, state: 'healed' })) {
      if (record.lastSeenAt < createdAt) break
      found.push(record)
    }
  }
  return found
}
