import type { Change, CreateChangeSetInput, DescribeChangeSetOutput } from '@aws-sdk/client-cloudformation'
import type { Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Cloud } from '../api/cloud.ts'
import { apiFailure, isNotOffered } from '../api/failures.ts'
import { findStack } from '../api/stacks.ts'
import { CHANGE_SET_PREFIX } from '../names.ts'
import { validationsOf } from './validations.ts'

/** A change set as AWS computed it. `empty`: AWS says that nothing would change. */
export interface ChangeSet {
  id: string
  stackId: string
  empty: boolean
  executable: boolean
  changes: Change[]
  /** Change sets of nested stacks by their id. */
  nested: Map<string, Change[]>
  /** What AWS has to say about the deployment before it is begun. */
  findings: Finding[]
}

const NO_CHANGES = /didn't contain changes|no updates are to be performed/i

/** Makes a change set and waits until AWS has computed it. SOURCE_INVALID with AWS's reason where it refuses it. */
export async function createChangeSet(
  cloud: Cloud,
  input: CreateChangeSetInput,
  { untilMs }: { untilMs: number },
): Promise<ChangeSet> {
  const doing = `making a change set for ${cloud.stackName}`
  const made = await cloud
    .call(doing, (api, o) => api.createChangeSet(input, o))
    .catch((thrown: unknown) => {
      // Most often AWS says so in the status of the change set; with parameters that are all equal, already here.
      if (input.ChangeSetType === 'UPDATE' && NO_CHANGES.test(wordsOf(thrown))) return null
      throw thrown
    })
  if (made === null) return nothing('', '')
  const { Id: id = '', StackId: stackId = '' } = made
  try {
    for (;;) {
      const found = await describe(cloud, id)
      const { Status: status, StatusReason: reason = '' } = found
      if (status === 'CREATE_COMPLETE') {
        return {
          id,
          stackId,
          empty: false,
          executable: found.ExecutionStatus === 'AVAILABLE',
          changes: found.Changes ?? [],
          nested: await describeNested(cloud, found.Changes ?? []),
          findings: (await validationsOf(cloud, id)).findings,
        }
      }
      if (status === 'FAILED') {
        if (NO_CHANGES.test(reason)) {
          await deleteChangeSet(cloud, id)
          return nothing(id, stackId)
        }
        const { why } = await validationsOf(cloud, id)
        await deleteChangeSet(cloud, id)
        throw new TrueupError('SOURCE_INVALID', {
          doing,
          why: [reason || 'AWS gives no reason', ...why].join('; '),
        })
      }
      if (Date.now() > untilMs) {
        throw new TrueupError('TIMED_OUT', {
          doing,
          why: `it is still ${status}`,
          next: 'Try again, or raise `with.planTimeoutMinutes`.',
        })
      }
      await cloud.pause()
    }
  } catch (thrown) {
    // What was made for this plan must not stay behind.
    await deleteChangeSet(cloud, id).catch(() => undefined)
    if (input.ChangeSetType !== 'UPDATE') await deleteIfEmpty(cloud, stackId).catch(() => undefined)
    throw thrown
  }
}

const nothing = (id: string, stackId: string): ChangeSet => ({
  id,
  stackId,
  empty: true,
  executable: false,
  changes: [],
  nested: new Map(),
  findings: [],
})

const wordsOf = (thrown: unknown): string =>
  thrown instanceof TrueupError ? thrown.text.why : thrown instanceof Error ? thrown.message : ''

/** Like `createChangeSet` with `REVERT_DRIFT`; null where the endpoint does not offer it. */
export async function createReverting(
  cloud: Cloud,
  input: CreateChangeSetInput,
  options: { untilMs: number },
): Promise<ChangeSet | null> {
  const reverting = { ...input, DeploymentMode: 'REVERT_DRIFT' as const }
  const doing = `making a drift-aware change set for ${cloud.stackName}`
  try {
    return await createChangeSet(
      { ...cloud, call: (what, request) => cloud.call(what, request, { raw: true }) },
      reverting,
      options,
    )
  } catch (thrown) {
    if (isNotOffered(thrown)) return null
    throw apiFailure(thrown, doing)
  }
}

async function describe(cloud: Cloud, ChangeSetName: string): Promise<DescribeChangeSetOutput> {
  const doing = 'reading the change set'
  const changes: Change[] = []
  let NextToken: string | undefined
  let first: DescribeChangeSetOutput | undefined
  do {
    const input = { ChangeSetName, IncludePropertyValues: true, ...(NextToken && { NextToken }) }
    const page = await cloud.call(doing, (api, o) => api.describeChangeSet(input, o))
    first ??= page
    changes.push(...(page.Changes ?? []))
    NextToken = page.NextToken
  } while (NextToken)
  return { ...first, Changes: changes }
}

async function describeNested(cloud: Cloud, changes: readonly Change[]): Promise<Map<string, Change[]>> {
  const nested = new Map<string, Change[]>()
  for (const { ResourceChange: change } of changes) {
    const id = change?.ChangeSetId
    if (id === undefined) continue
    const found = (await describe(cloud, id)).Changes ?? []
    nested.set(id, found)
    for (const [inner, list] of await describeNested(cloud, found)) nested.set(inner, list)
  }
  return nested
}

/** Its state now; null where it is gone. */
export async function executionStatusOf(cloud: Cloud, ChangeSetName: string): Promise<string | null> {
  const doing = 'looking at the change set'
  try {
    const found = await cloud.call(doing, (api, o) => api.describeChangeSet({ ChangeSetName }, o), {
      raw: true,
      detached: true,
    })
    return found.ExecutionStatus ?? null
  } catch (thrown) {
    const failure = apiFailure(thrown, doing)
    if (failure.code === 'PLAN_STALE') return null
    throw failure
  }
}

export async function deleteChangeSet(cloud: Cloud, ChangeSetName: string): Promise<void> {
  await cloud.call('deleting a change set', (api, o) => api.deleteChangeSet({ ChangeSetName }, o), { detached: true })
}

/** Change sets of others' plans that are still at work are left alone for this long. */
const OLD_MS = 60 * 60_000

/**
 * Deletes what earlier runs of Trueup left: change sets of the same kind of run where only one of them can be (deploy),
 * and others once they are old. A change set of anybody else is never touched.
 */
export async function cleanUp(cloud: Cloud, stackId: string, kind: string): Promise<void> {
  const changing = ['deploy', 'heal', 'destroy'].includes(kind)
  for (const { ChangeSetName: name = '', ChangeSetId: id, CreationTime: at } of await listChangeSets(cloud, stackId)) {
    if (!name.startsWith(CHANGE_SET_PREFIX) || id === undefined) continue
    const isChanging = /^trueup-(deploy|heal|destroy)-/.test(name)
    const old = at !== undefined && Date.now() - at.getTime() > OLD_MS
    if (old || (changing && isChanging)) await deleteChangeSet(cloud, id)
  }
}

/** Deletes a stack that only our change set has made: nothing was ever deployed to it, and nobody else plans to. */
export async function deleteIfEmpty(cloud: Cloud, stackId: string): Promise<void> {
  const stack = await findStack(cloud, { id: stackId, detached: true })
  if (stack?.StackStatus !== 'REVIEW_IN_PROGRESS') return
  if ((await listChangeSets(cloud, stackId)).length > 0) return
  await cloud.call('removing the empty stack of a plan', (api, o) => api.deleteStack({ StackName: stackId }, o), {
    detached: true,
  })
}

async function listChangeSets(cloud: Cloud, StackName: string) {
  const all = []
  let NextToken: string | undefined
  do {
    const input = { StackName, ...(NextToken && { NextToken }) }
    const page = await cloud.call('listing the change sets of the stack', (api, o) => api.listChangeSets(input, o), {
      detached: true,
    })
    // An endpoint that ignores whose change sets were asked for (moto) lists those of other stacks too.
    all.push(
      ...(page.Summaries ?? []).filter(
        (one) => (one.StackId ?? one.StackName) === StackName || one.StackName === StackName,
      ),
    )
    NextToken = page.NextToken
  } while (NextToken)
  return all
}
