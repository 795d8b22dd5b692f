import { digestOf } from '../../lib/digest.ts'
import { findPost, putPost } from '../../store/forges/posts.ts'
import type { ForgeDeployment } from '../forge.ts'
import type { Connected } from './connected.ts'

/**
 * One that has ended stays what it was, also when more of it is told: only what begins anew after it, a retry, is another. A
 * repeat of what stands there asks nobody.
 */
export async function putDeployment(
  { store, api }: Connected,
  mr: { id: string; targetBranch: string },
  commitOid: string,
  deployment: ForgeDeployment,
): Promise<void> {
  const name = `deployment:${commitOid}:${deployment.environment}`
  const digest = digestOf(deployment)
  const post = await findPost(store.db, mr.id, name)
  const { state } = deployment
  if (post?.digest === digest || (post?.state === state && state !== 'running')) return
  const known = post?.state === 'running' ? post.remoteId : null
  const remoteId = await api.setDeployment!(known, { ...deployment, commitOid, branch: mr.targetBranch })
  await store.transaction((tx) => putPost(tx, { mrId: mr.id, name, remoteId, digest, state }))
}
