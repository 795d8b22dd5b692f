import { commandsIn } from '../../domain/commands/parse.ts'
import { findMergeRequestByNumber } from '../../store/changes/merge-requests.ts'
import { createForgeCommand, findForgeCommand } from '../../store/forges/commands.ts'
import { patchConnection } from '../../store/forges/connections.ts'
import { findPost, putPost } from '../../store/forges/posts.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { RemoteComment } from './api.ts'
import { askedForFork, vouchAsSaid } from './forks.ts'
import type { Connected } from './connected.ts'
import { accountOfMember, takeRole } from './people.ts'

/** Comments are asked for again from this long before: what is written at once shows one after the other. */
const OVERLAP_MS = 5 * 60_000
/** A command on a merge request that is not known yet is waited for so long: its branch may not be here. */
const UNKNOWN_MS = 60 * 60_000

/**
 * Takes the commands that people have written since the last time. What was there before anybody listened is passed, and
 * so is what was changed: nobody knows what it said when others read it.
 */
export async function hear(here: Connected): Promise<void> {
  const { store, connection, api } = here
  const { heardUntil } = connection
  // By the forge's clock, which need not be ours; where that was wrong once, what comes now is heard all the same.
  const now = api.now()
  const since = Math.min(heardUntil ?? now, now) - OVERLAP_MS
  let heard = now
  for (const { number, comment } of await api.commentsSince(since)) {
    if (!isCommand(here, comment)) continue
    const isTaken = await takeComment(here, number, comment, heardUntil === null)
    if (!isTaken) heard = Math.max(now - UNKNOWN_MS, Math.min(heard, comment.updatedAt))
  }
  await store.transaction((tx) => patchConnection(tx, connection.id, { heardUntil: heard }))
}

const isCommand = ({ connection }: Connected, { person, body, createdAt, updatedAt }: RemoteComment): boolean =>
  person.id !== connection.botId && updatedAt === createdAt && commandsIn(body).length > 0

/** False where the merge request is not known. */
async function takeComment(
  here: Connected,
  number: number,
  comment: RemoteComment,
  isEarlier: boolean,
): Promise<boolean> {
  const { id: commentId, person, body, createdAt } = comment
  const { store, repository } = here
  if (await findForgeCommand(store.db, repository.id, commentId)) return true
  const known = await findMergeRequestByNumber(store.db, repository.id, number)
  const mr = known ?? (isEarlier ? null : await askedForFork(here, number, comment))
  if (!mr) return false
  const { id: mrId, state: mrState } = mr
  const stranger = { mrId, name: `stranger:${commentId}` }
  if (await findPost(store.db, mrId, stranger.name)) return true
  const userId = await accountOfMember(here, person)
  if (userId === null) {
    // Who has no part in the repository gets a sign, and nothing of ours: no account, and no answer to multiply.
    if (!isEarlier) await here.api.signComment(number, commentId, 'refused')
    await store.transaction((tx) => putPost(tx, { ...stranger, remoteId: null, digest: '', state: null }))
    return true
  }
  if (!isEarlier) {
    await takeRole(here, person)
    await vouchAsSaid(here, mr, userId, comment)
  }
  await store.transaction(async (tx) => {
    if (await findForgeCommand(tx, repository.id, commentId)) return
    const state = isEarlier ? 'passed' : 'taken'
    const row = { repositoryId: repository.id, mrId, commentId, userId, body, mrState, state, answers: null } as const
    await createForgeCommand(tx, { ...row, writtenAt: createdAt })
    if (!isEarlier) await enqueueTask(tx, { kind: 'forge.command', key: mrId, payload: { mrId } })
  })
  return true
}
