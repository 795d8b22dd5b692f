import type { FromRow } from '../database/codec.ts'
import type { Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** A comment of somebody on a forge that commands something, taken once whatever is heard of it again. */
export type ForgeCommand = FromRow<Database['forgeCommands']>

const commands = makePlainEntity({ table: 'forgeCommands', prefix: 'cmd', noun: 'command' })

/** CONFLICT where the comment was taken before. */
export const createForgeCommand = (tx: Queries, command: New<ForgeCommand>): Promise<ForgeCommand> =>
  commands.insert(tx, command)

export const findForgeCommand = (
  db: Queries,
  repositoryId: string,
  commentId: string,
): Promise<ForgeCommand | undefined> => commands.find(db, { repositoryId, commentId })

/** Those of a merge request that nobody has obeyed yet, in the order in which they were taken. */
export const commandsTaken = (db: Queries, mrId: string): Promise<ForgeCommand[]> =>
  commands.all(db, { mrId, state: 'taken' })

export const endForgeCommand = (tx: Queries, id: string, state: ForgeCommand['state']): Promise<ForgeCommand> =>
  commands.update(tx, id, { state })
