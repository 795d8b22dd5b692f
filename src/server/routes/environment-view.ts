import { type EnvironmentRules, resolveEnvironment } from '../../domain/stacks/environment.ts'
import { deployWindow } from '../../domain/windows/windows.ts'
import { listFreezes } from '../../engine/environments.ts'
import type { EngineParts } from '../../engine/parts.ts'
import { rulesSnapshot } from '../../engine/revisions/readable.ts'
import type { Freeze as FreezeRow } from '../../store/stacks/freezes.ts'
import { activeNotices, type Notice as NoticeRow } from '../../store/stacks/notices.ts'
import type { Environment, Freeze, Notice } from '../schemas/environments.ts'
import { nameOf } from './user-name.ts'

/** Every environment that the default branch's trueup.yaml has, in the order of their names. */
export async function environmentsOf(parts: EngineParts, repositoryId: string): Promise<Environment[]> {
  const config = (await rulesSnapshot(parts, repositoryId))?.config
  if (!config) return []
  const freezes = await listFreezes(parts, repositoryId)
  const notices = await activeNotices(parts.store.db, { repositoryId })
  const names = Object.keys(config.environments).sort()
  return await Promise.all(
    names.map((name) => {
      const isOwn = ({ environment }: { environment: string }): boolean => environment === name
      const said = { freezes: freezes.filter(isOwn), notices: notices.filter(isOwn) }
      return showEnvironment(parts, resolveEnvironment(name, config), said)
    }),
  )
}

async function showEnvironment(
  parts: EngineParts,
  rules: EnvironmentRules,
  { freezes, notices }: { freezes: readonly FreezeRow[]; notices: readonly NoticeRow[] },
): Promise<Environment> {
  const { name, tier, approvals, windows, onFailure, unplannable, trust, drift, pool } = rules
  return {
    name,
    tier,
    protected: rules.protected,
    approvals: { ...approvals, from: approvals.from.map((from) => `${from.kind}:${from.name}`) },
    windows,
    onFailure,
    unplannable,
    trust,
    drift,
    workers: pool,
    deployments: deployWindow({ windows, freezes, at: parts.store.clock.now() }),
    freezes: await Promise.all(freezes.map((freeze) => showFreeze(parts, freeze))),
    notices: await Promise.all(notices.map((notice) => showNotice(parts, notice))),
  }
}

export async function showFreeze(parts: EngineParts, row: FreezeRow): Promise<Freeze> {
  const { id, environment, reason, createdAt, until, liftedAt } = row
  return { id, environment, reason, by: await nameOf(parts, row.createdById), createdAt, until, liftedAt }
}

export async function showNotice(parts: EngineParts, row: NoticeRow): Promise<Notice> {
  const { id, environment, kind, text, createdAt, until, withdrawnAt } = row
  return { id, environment, kind, text, by: await nameOf(parts, row.createdById), createdAt, until, withdrawnAt }
}
