import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Queries } from '../database/context.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** A comment of somebody on a forge that commands something, taken once whatever is heard of it again. */
export type ForgeCommand = FromRow<Database['forgeCommands'], { answers: CommandAnswer[] }>

/** What came of one command of a comment, as Markdown. */
export interface CommandAnswer {
  lines: string[]
  ok: boolean
}

const commands = makeEntity<'forgeCommands', ForgeCommand>({
  table: 'forgeCommands',
  prefix: 'cmd',
  noun: 'command',
  codec: makeCodec({ json: ['answers'] }),
})

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

/** What came of its commands so far: should the rest be done by another process, these are not done again. */
export const noteAnswers = (tx: Queries, id: string, answers: CommandAnswer[]): Promise<ForgeCommand> =>
  commands.update(tx, id, { answers })

export const endForgeCommand = (tx: Queries, id: string, state: ForgeCommand['state']): Promise<ForgeCommand> =>
  commands.update(tx, id, { state })
