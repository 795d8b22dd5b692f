import type { PlanSummary } from '../../domain/plans/plan.ts'
import type { Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { Page, PageRequest } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

export type Deployment = FromRow<Database['deployments'], { summary: PlanSummary }>

const deployments = makeEntity<'deployments', Deployment>({
  table: 'deployments',
  prefix: 'deploy',
  noun: 'deployment',
  codec: makeCodec({ json: ['summary'] }),
  change: ({ id, repositoryId, stackId }) => ({ topic: 'deployment', id, repositoryId, stackId }),
  times: [],
})

/** CONFLICT when the run has its deployment already. */
export const createDeployment = (tx: Queries, deployment: New<Deployment>): Promise<Deployment> =>
  deployments.insert(tx, deployment)
export const getDeployment = (db: Queries, id: string): Promise<Deployment | undefined> => deployments.get(db, id)
export const findDeploymentByRun = (db: Queries, runId: string): Promise<Deployment | undefined> =>
  deployments.find(db, { runId })

export type DeploymentFilter = Partial<
  Pick<Deployment, 'repositoryId' | 'stackId' | 'mrId' | 'status' | 'kind' | 'commitOid'>
>

/** Newest first. */
export async function listDeployments(
  db: Queries,
  { repositoryId, ...filter }: DeploymentFilter,
  page: PageRequest = {},
): Promise<Page<Deployment>> {
  if (filter.stackId === undefined) return await deployments.list(db, { repositoryId, ...filter }, page)
  // A stack is in one repository for ever, and asked for both the database would go along the whole repository.
  const found = await deployments.list(db, filter, page)
  const elsewhere = repositoryId !== undefined && found.items.some((row) => row.repositoryId !== repositoryId)
  return elsewhere ? { items: [], next: null } : found
}
