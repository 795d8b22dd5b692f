import { commandsIn } from '../../domain/commands/parse.ts'
import { findMergeRequestByNumber } from '../../store/changes/merge-requests.ts'
import { createForgeCommand, findForgeCommand } from '../../store/forges/commands.ts'
import { patchConnection } from '../../store/forges/connections.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { RemoteComment } from './api.ts'
import type { Connected } from './connected.ts'
import { accountOf, takeRole } from './people.ts'

/** Comments are asked for again from this long before the newest known one: what is written at once shows one after the other. */
const OVERLAP_MS = 5 * 60_000

/**
 * Takes the commands that people have written since the last time. What was there before anybody listened is passed, and
 * so is what was changed: nobody knows what it said when others read it.
 */
export async function hear(here: Connected): Promise<void> {
  const { store, connection, api } = here
  const { heardUntil } = connection
  // By the forge's clock, which need not be ours.
  const from = heardUntil ?? api.now()
  const said = await api.commentsSince(from - OVERLAP_MS)
  for (const { number, comment } of said) await takeComment(here, number, comment, heardUntil === null)
  const until = Math.max(from, ...said.map(({ comment }) => comment.updatedAt))
  if (until !== heardUntil) await store.transaction((tx) => patchConnection(tx, connection.id, { heardUntil: until }))
}

async function takeComment(
  here: Connected,
  number: number,
  { id: commentId, person, body, createdAt, updatedAt }: RemoteComment,
  isEarlier: boolean,
): Promise<void> {
  const { store, connection, repository } = here
  if (person.id === connection.botId || updatedAt !== createdAt || commandsIn(body).length === 0) return
  const known = await findForgeCommand(store.db, repository.id, commentId)
  const mr = known ? undefined : await findMergeRequestByNumber(store.db, repository.id, number)
  if (!mr) return
  const userId = await accountOf(here, person)
  if (!isEarlier) await takeRole(here, person)
  await store.transaction(async (tx) => {
    if (await findForgeCommand(tx, repository.id, commentId)) return
    const { id: mrId, state: mrState } = mr
    const state = isEarlier ? 'passed' : 'taken'
    const row = { repositoryId: repository.id, mrId, commentId, userId, body, mrState, state } as const
    await createForgeCommand(tx, { ...row, writtenAt: createdAt })
    if (!isEarlier) await enqueueTask(tx, { kind: 'forge.command', key: mrId, payload: { mrId } })
  })
}
