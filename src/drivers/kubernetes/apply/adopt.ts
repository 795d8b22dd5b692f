import { TrueupError } from '../../../lib/errors/error.ts'
import { pathOf } from '../cluster/discovery.ts'
import { failureOf, type Status } from '../cluster/failures.ts'
import { readOne, type Target } from '../cluster/live.ts'
import { adopted } from '../compare/adopted.ts'
import type { Fields } from '../compare/fields.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Session } from '../session.ts'

const ATTEMPTS = 8

interface Adopting {
  session: Session
  signal: AbortSignal
}

/**
 * Makes fields ours that those who declared the object before have set, so that the apply that follows gives them up. A kill
 * between the two leaves more fields ours than wanted: the next apply gives them up.
 */
export async function adopt({ session, signal }: Adopting, target: Target, fields: Fields): Promise<void> {
  const { ref, resource, address } = target
  const doing = `taking over the fields of ${address}`
  for (let attempt = 1; ; attempt++) {
    const live = await readOne(session.client, target, signal)
    if (live === null) return
    const { status, body } = await session.client.ask<KubeObject>({
      doing,
      method: 'PATCH',
      path: pathOf(resource, ref.namespace, ref.name),
      contentType: 'application/json-patch+json',
      body: JSON.stringify([
        { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
        { op: 'replace', path: '/metadata/managedFields', value: adopted(live, fields).metadata.managedFields },
      ]),
      signal,
    })
    if (status < 300) return
    const refused = body as Status
    const wasOvertaken = status === 409 || /test(ing)? .*failed/i.test(refused.message ?? '')
    if (!wasOvertaken) throw failureOf(doing, status, refused)
    if (attempt < ATTEMPTS) continue
    const why = `somebody has changed it ${ATTEMPTS} times meanwhile`
    throw new TrueupError('CONFLICT', { doing, why, next: 'Look who writes it all the time.' })
  }
}
