import type { Queries } from '../../store/database/context.ts'
import { getMeta, setMeta } from '../../store/database/meta.ts'

const cursorKey = (repositoryId: string): string => `deploy.cursor:${repositoryId}`
const usableKey = (repositoryId: string): string => `deploy.usable:${repositoryId}`

/** Commit of the default branch up to which everything has been ordered. */
export const deployCursor = (queries: Queries, repositoryId: string): Promise<string | null> =>
  getMeta(queries, cursorKey(repositoryId))
export const setDeployCursor = (tx: Queries, repositoryId: string, commitOid: string): Promise<void> =>
  setMeta(tx, cursorKey(repositoryId), commitOid)

/** Last ordered commit whose configuration could be read: what a later one is compared with, whatever lay between. */
export const usableCommit = (queries: Queries, repositoryId: string): Promise<string | null> =>
  getMeta(queries, usableKey(repositoryId))
export const setUsableCommit = (tx: Queries, repositoryId: string, commitOid: string): Promise<void> =>
  setMeta(tx, usableKey(repositoryId), commitOid)
