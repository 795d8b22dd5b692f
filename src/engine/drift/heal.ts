import { nextHeal } from '../../domain/drift/backoff.ts'
import { FLAPPING, flapping } from '../../domain/drift/flapping.ts'
import type { IgnoreRule } from '../../domain/plans/ignore-rule.ts'
import { CHANGING_KINDS, PENDING_STATES } from '../../domain/runs/run.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { healsSince, standingDrift } from '../../store/stacks/drift.ts'
import { nowOf } from '../../store/open.ts'
import { findQuarantine } from '../../store/stacks/quarantine.ts'
import { createRun, getRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { patchStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { SYSTEM } from '../parts.ts'
import { type RunSpec, specToJson } from '../run-spec.ts'
import { refreshStack } from '../stacks/status.ts'
import { describeFight, type Fight, healsOf, healsToJson } from '../stacks/heal-state.ts'
import { currentDefinition } from './schedule.ts'
import { workersFor } from '../workers-for.ts'

export type HealOrder = { ordered: true; run: Run } | { ordered: false; why: string }

/**
 * Orders a heal of what is drifted: at once the first time, then with growing delays; not at all while something keeps
 * writing the same attribute (flapping), unless a person asks for it.
 */
export async function orderHeal(tx: Tx, stackId: string, by: { actor: string; asked: boolean }): Promise<HealOrder> {
  const stack = await requireStack(tx, stackId)
  const deployed = stack.deployedConfig as unknown as RunSpec | null
  const refused = (why: string): HealOrder => ({ ordered: false, why })
  if (!deployed || stack.deployedCommit === null) return refused('nothing is deployed')
  if (stack.desiredCommit === null) return refused('the stack is no longer in Git')
  const broken = stack.brokenByRunId === null ? null : await getRun(tx, stack.brokenByRunId)
  // What a heal left unverified or unknown a person may heal again; between two commits only Git decides.
  if (broken && !(by.asked && broken.kind === 'heal'))
    return refused(`run ${broken.id} left it half applied; deploy a fix or roll back`)
  const pending = await listRuns(tx, { stackId, kinds: CHANGING_KINDS, states: PENDING_STATES }, { limit: 1 })
  if (pending.items[0]) return refused(`run ${pending.items[0].id} is to change it`)
  if (await findQuarantine(tx, stackId, deployed.sourceDigest))
    return refused('the deployed revision was rolled back and is quarantined')
  const now = nowOf(tx)
  const fight = by.asked ? null : await fightOver(tx, stack)
  if (fight) return refused(describeFight(fight))
  const { at, state } = nextHeal(healsOf(stack), now)
  await patchStack(tx, stackId, { healBackoff: healsToJson(state) })
  const { drift, pool } = currentDefinition(stack, deployed)
  const definition = { ...deployed.definition, drift, ignore: await withAccepted(tx, stack, deployed) }
  const run = await createRun(tx, {
    stackId,
    repositoryId: stack.repositoryId,
    kind: 'heal',
    commitOid: stack.deployedCommit,
    desiredDigest: stack.deployedDigest ?? deployed.sourceDigest,
    spec: specToJson({ ...deployed, cause: 'drift', definition }),
    ...workersFor({ ...definition, pool }),
    actor: by.actor,
    ...(broken && { retryOfRunId: broken.id }),
    ...(!by.asked && at > now && { notBefore: at, reason: 'backoff' }),
  })
  await refreshStack(tx, stackId)
  return { ordered: true, run }
}

/** The attribute that is fought over; found out now, it is kept on the stack and said in the audit once. */
async function fightOver(tx: Tx, stack: Stack): Promise<Fight | null> {
  const heals = healsOf(stack)
  if (heals.fight) return heals.fight
  const now = nowOf(tx)
  const [fight] = flapping(await healsSince(tx, stack.id, now - FLAPPING.windowMs), FLAPPING, now)
  if (!fight) return null
  await patchStack(tx, stack.id, { healBackoff: healsToJson({ ...heals, fight }) })
  await appendAudit(tx, {
    actor: SYSTEM,
    action: 'drift.flapping',
    subject: stack.id,
    repositoryId: stack.repositoryId,
    data: { ...fight },
  })
  await refreshStack(tx, stack.id)
  return fight
}

/** Drift that people have accepted is not overwritten beside what is healed. */
async function withAccepted(tx: Queries, stack: Stack, deployed: RunSpec): Promise<IgnoreRule[]> {
  const standing = await standingDrift(tx, stack.id)
  const accepted = standing
    .filter((record) => record.state === 'accepted' && record.attribute !== '')
    .map(({ address, attribute }) => ({ address: literally(address), attribute: literally(attribute) }))
  return [...deployed.definition.ignore, ...accepted]
}

/** The address as a pattern of `domain/glob.ts`: its wildcards, which no escape takes away, become one character each. */
const literally = (text: string): string => text.replaceAll(/[*{}]/g, '?')
