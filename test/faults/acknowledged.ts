import { AuditEvent, AuditVerdict } from '../../src/server/schemas/operations.ts'
import { Comment } from '../../src/server/schemas/merge-requests.ts'
import { z } from 'zod'
import type { Tally } from './tally.ts'
import { REPOSITORY, type World } from './world.ts'

/** Everything that the server has said yes to, so that it can be asked for later. */
export interface Acknowledged {
  /** Writes comments on the MR one after the other until `stop`, through kills. */
  writeComments(mr: number): { stop(): Promise<void> }
  pushed(ref: string, oid: string): void
  merged(mr: number, commit: string): void
  /** Keeps the newest audit event, through which the chain must go for ever. */
  keepAuditHead(): Promise<void>
  check(tally: Tally): Promise<void>
}

export function createAcknowledged(world: World): Acknowledged {
  const comments = new Map<number, Set<string>>()
  const pushes = new Map<string, string>()
  const merges = new Map<number, string>()
  let head: { seq: number; hash: string } | undefined

  return {
    writeComments(mr) {
      let open = true
      const path = `${REPOSITORY}/merge-requests/${mr}/comments`
      const written = new Set<string>()
      comments.set(mr, written)
      const work = async (): Promise<void> => {
        for (let n = 1; open; n++) {
          const body = `note ${n}`
          await world.ada.send('POST', path, Comment, { body }).then(
            () => written.add(body),
            () => {},
          )
          await new Promise((resolve) => setTimeout(resolve, 60))
        }
      }
      const done = work()
      return {
        async stop() {
          open = false
          await done
        },
      }
    },
    pushed: (ref, oid) => void pushes.set(ref, oid),
    merged: (mr, commit) => void merges.set(mr, commit),
    async keepAuditHead() {
      const page = z.object({ items: z.array(AuditEvent) })
      const [event] = (await world.admin.get('/api/v1/audit', page, { limit: 1 })).items
      if (event) head = { seq: event.seq, hash: event.hash }
    },
    async check(tally) {
      await checkComments(world, comments, tally)
      comments.clear()
      await checkGit(world, { pushes, merges }, tally)
      const kept = head && { kept: head }
      const audit = await world.admin.send('POST', '/api/v1/audit/verify', AuditVerdict, kept)
      if (!audit.ok) tally.lost.push(`audit chain: ${JSON.stringify(audit.firstBad)}`)
    },
  }
}

async function checkComments(world: World, comments: Map<number, Set<string>>, tally: Tally): Promise<void> {
  for (const [mr, written] of comments) {
    const list = z.object({ items: z.array(Comment) })
    const { items } = await world.ada.get(`${REPOSITORY}/merge-requests/${mr}/comments`, list)
    const times = new Map<string, number>()
    for (const { body } of items) times.set(body, (times.get(body) ?? 0) + 1)
    for (const body of written) if (!times.has(body)) tally.lost.push(`comment "${body}" on !${mr}`)
    // A client repeats what was not answered: with its key that must stay one comment.
    for (const [body, count] of times)
      if (/^note \d+$/.test(body) && count > 1) tally.repeated.push(`comment "${body}" on !${mr}: ${count} times`)
  }
}

async function checkGit(
  world: World,
  { pushes, merges }: { pushes: Map<string, string>; merges: Map<number, string> },
  tally: Tally,
): Promise<void> {
  const refs = new Map(
    (await world.copy.git('ls-remote', '--heads', 'origin'))
      .trim()
      .split('\n')
      .map((line) => line.split('\t').reverse() as [string, string]),
  )
  for (const [ref, oid] of pushes) if (refs.get(ref) !== oid) tally.lost.push(`push of ${ref} at ${oid}`)
  await world.copy.git('fetch', '--quiet', 'origin')
  for (const [mr, commit] of merges) {
    const now = await world.mr(mr)
    if (now.state !== 'merged' || now.mergeCommit !== commit) tally.lost.push(`merge of !${mr}: it is ${now.state}`)
    const inMain = await world.copy.git('merge-base', '--is-ancestor', commit, 'origin/main').then(
      () => true,
      () => false,
    )
    if (!inMain) tally.lost.push(`merge commit ${commit} of !${mr} is not in main`)
  }
}
