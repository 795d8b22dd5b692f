import type { EnrolRequest } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { findEnrolled } from '../../store/workers/enrolments.ts'
import type { Store } from '../../store/open.ts'
import { createWorker, findWorkerByName, revokeWorker, useEnrolment } from '../../store/workers/workers.ts'
import { hashToken } from '../auth/token.ts'

/**
 * Exchanges a one-time token for an identity: the token is used up and the public key stored in one transaction. A
 * repeat with the same token and key, whose first answer was lost, gives the same id.
 */
export function enrolWorker(store: Store, request: EnrolRequest): Promise<{ workerId: string }> {
  const { name, kind, publicKey } = request
  const tokenHash = hashToken(request.token)
  return store.transaction(async (tx) => {
    const enrolment = await useEnrolment(tx, tokenHash)
    if (!enrolment) {
      const workerId = await findEnrolled(tx, tokenHash, publicKey)
      if (workerId !== null) return { workerId }
      throw new TrueupError('UNAUTHENTICATED', {
        doing: `enrolling worker "${name}"`,
        why: 'the enrolment token is unknown, used already, or has expired',
        next: 'Make a new one with `trueup worker enrol`.',
      })
    }
    const { pools, repositories, environments, builtin } = enrolment
    // The built-in runner that lost its key comes back under its own name.
    const former = builtin ? await findWorkerByName(tx, name) : undefined
    if (former?.builtin) await revokeWorker(tx, former.id)
    const worker = await createWorker(tx, { name, kind, pools, repositories, environments, publicKey, builtin })
    await appendAudit(tx, {
      actor: `worker:${worker.id}`,
      action: 'worker.enrol',
      subject: worker.id,
      data: { name, kind, pools, repositories, environments, enrolment: enrolment.id },
    })
    return { workerId: worker.id }
  })
}
