import type { Queries } from '../../store/database/context.ts'
import { getMeta, setMeta } from '../../store/database/meta.ts'

const cursorKey = (repositoryId: string): string => `deploy.cursor:${repositoryId}`
const usableKey = (repositoryId: string): string => `deploy.usable:${repositoryId}`

/** Commit of the default branch up to which everything has been ordered. */
export const deployCursor = (queries: Queries, repositoryId: string): Promise<string | null> =>
  getMeta(queries, cursorKey(repositoryId))
export const setDeployCursor = (tx: Queries, repositoryId: string, commitOid: string): Promise<void> =>
  setMeta(tx, cursorKey(repositoryId), commitOid)

/** A step of the default branch of which only a part has been ordered. */
export interface BegunStep {
  commitOid: string
  mergeSequence: number
}

const begunKey = (repositoryId: string): string => `deploy.begun:${repositoryId}`

/** The step that is being ordered, between its first transaction and its last. */
export async function begunStep(queries: Queries, repositoryId: string): Promise<BegunStep | null> {
  const text = await getMeta(queries, begunKey(repositoryId))
  return text === null || text === '' ? null : (JSON.parse(text) as BegunStep)
}

/** Null: its last transaction. */
export const setBegunStep = (tx: Queries, repositoryId: string, step: BegunStep | null): Promise<void> =>
  setMeta(tx, begunKey(repositoryId), step === null ? '' : JSON.stringify(step))

const heldKey = (repositoryId: string): string => `deploy.rules:${repositoryId}`

/**
 * The commit whose rules hold although the default branch has others by now, which came past the gate; null where those of the
 * branch do.
 */
export async function heldRulesCommit(queries: Queries, repositoryId: string): Promise<string | null> {
  return (await getMeta(queries, heldKey(repositoryId))) || null
}
export const setHeldRulesCommit = (tx: Queries, repositoryId: string, commitOid: string | null): Promise<void> =>
  setMeta(tx, heldKey(repositoryId), commitOid ?? '')

/** Last ordered commit whose configuration could be read: what a later one is compared with, whatever lay between. */
export const usableCommit = (queries: Queries, repositoryId: string): Promise<string | null> =>
  getMeta(queries, usableKey(repositoryId))
export const setUsableCommit = (tx: Queries, repositoryId: string, commitOid: string): Promise<void> =>
  setMeta(tx, usableKey(repositoryId), commitOid)
