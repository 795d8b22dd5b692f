import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Queries } from '../database/context.ts'
import { makeEntity, makePlainEntity } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** What Trueup has written on a forge about a merge request. */
export type ForgePost = Database['forgePosts']

const posts = makePlainEntity({ table: 'forgePosts', prefix: 'post', times: ['createdAt', 'updatedAt'] })

export const findPost = (db: Queries, mrId: string, name: string): Promise<ForgePost | undefined> =>
  posts.find(db, { mrId, name })
export const listPosts = (db: Queries, mrId: string): Promise<ForgePost[]> => posts.all(db, { mrId })

/** Notes what stands there now, in place of what did before. */
export async function putPost(
  tx: Queries,
  { mrId, name, ...what }: Pick<ForgePost, 'mrId' | 'name' | 'remoteId' | 'digest' | 'state'>,
): Promise<void> {
  const known = await findPost(tx, mrId, name)
  if (known) await posts.update(tx, known.id, what)
  else await posts.insert(tx, { mrId, name, ...what })
}

/** Plans that stood on the page of a merge request from a time on, by the forge's clock. */
export type ShownPlans = FromRow<
  Database['shownPlans'],
  { digests: { [stack: string]: string }; files: { [path: string]: string } }
>

const shown = makeEntity<'shownPlans', ShownPlans>({
  table: 'shownPlans',
  prefix: 'shown',
  codec: makeCodec({ json: ['digests', 'files'] }),
  times: [],
})

export const addShownPlans = (tx: Queries, plans: Omit<ShownPlans, 'id'>): Promise<ShownPlans> =>
  shown.insert(tx, plans)

/** What stood there (for this head) before that time (forges count whole seconds); null where nothing did. */
export async function plansShownAt(
  db: Queries,
  { at, ...of }: Pick<ShownPlans, 'mrId' | 'at'> & { headOid?: string },
): Promise<ShownPlans | null> {
  const all = await shown.all(db, of, 'desc')
  return all.find((plans) => plans.at < at) ?? null
}
