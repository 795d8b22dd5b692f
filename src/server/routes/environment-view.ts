import { type EnvironmentRules, resolveEnvironment } from '../../domain/stacks/environment.ts'
import { deployWindow } from '../../domain/windows/windows.ts'
import { listFreezes } from '../../engine/environments.ts'
import type { EngineParts } from '../../engine/parts.ts'
import { rulesSnapshot } from '../../engine/revisions/readable.ts'
import type { Freeze as FreezeRow } from '../../store/stacks/freezes.ts'
import type { Environment, Freeze } from '../schemas/environments.ts'
import { nameOf } from './user-name.ts'

/** Every environment that the default branch's trueup.yaml has, in the order of their names. */
export async function environmentsOf(parts: EngineParts, repositoryId: string): Promise<Environment[]> {
  const config = (await rulesSnapshot(parts, repositoryId))?.config
  if (!config) return []
  const freezes = await listFreezes(parts, repositoryId)
  const names = Object.keys(config.environments).sort()
  return await Promise.all(
    names.map((name) => {
      const own = freezes.filter((freeze) => freeze.environment === name)
      return showEnvironment(parts, resolveEnvironment(name, config), own)
    }),
  )
}

async function showEnvironment(
  parts: EngineParts,
  rules: EnvironmentRules,
  freezes: readonly FreezeRow[],
): Promise<Environment> {
  const { name, tier, approvals, windows, onFailure, unplannable, drift, pool } = rules
  return {
    name,
    tier,
    protected: rules.protected,
    approvals: { ...approvals, from: approvals.from.map((from) => `${from.kind}:${from.name}`) },
    windows,
    onFailure,
    unplannable,
    drift,
    workers: pool,
    deployments: deployWindow({ windows, freezes, at: parts.store.clock.now() }),
    freezes: await Promise.all(freezes.map((freeze) => showFreeze(parts, freeze))),
  }
}

export async function showFreeze(parts: EngineParts, row: FreezeRow): Promise<Freeze> {
  const { id, environment, reason, createdAt, until, liftedAt } = row
  return { id, environment, reason, by: await nameOf(parts, row.createdById), createdAt, until, liftedAt }
}
