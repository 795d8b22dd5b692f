import { errors as joseErrors, importJWK, jwtVerify } from 'jose'
import {
  CLOCK_TOLERANCE_MS,
  KEY_OVERLAP_MS,
  keyIdOf,
  NEW_KEY_AUDIENCE,
  TOKEN_MAX_S,
  type WorkerProof,
} from '../../domain/wire/request-proof.ts'
import type { KeyRequest } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Store } from '../../store/open.ts'
import { getWorker, patchWorker } from '../../store/workers/workers.ts'

/**
 * Puts a worker's new key in the place of the one that signed this request; that one counts for `KEY_OVERLAP_MS` more.
 * A repeat, signed by either, changes nothing, so that the worker can ask until it has heard the answer. A key that was
 * replaced before can bring no further one: whoever found it in a backup gains nothing.
 */
export async function rotateKey(
  store: Store,
  { workerId, keyId }: WorkerProof,
  { publicKey, proof }: KeyRequest,
): Promise<{ formerUntil: number }> {
  const now = store.clock.now()
  await assertHeld({ workerId, publicKey, proof, now })
  return await store.transaction(async (tx) => {
    const worker = await getWorker(tx, workerId)
    if (!worker || worker.revokedAt !== null) throw refused('the worker was revoked')
    const [current, next] = [keyIdOf(worker.publicKey), keyIdOf(publicKey)]
    if (next === current) {
      if (worker.keyAskedAt !== null) await patchWorker(tx, workerId, { keyAskedAt: null })
      return { formerUntil: worker.formerKeyUntil ?? now }
    }
    if (keyId !== current) throw refused('the key that signs it was replaced itself')
    if (worker.formerKey && next === keyIdOf(worker.formerKey)) throw refused('the new key is the one before')
    const formerUntil = now + KEY_OVERLAP_MS
    await patchWorker(tx, workerId, {
      publicKey,
      formerKey: worker.publicKey,
      formerKeyUntil: formerUntil,
      keyChangedAt: now,
      keyAskedAt: null,
    })
    await appendAudit(tx, {
      actor: `worker:${workerId}`,
      action: 'worker.rotate',
      subject: workerId,
      data: { name: worker.name, from: current, to: next, formerUntil },
    })
    return { formerUntil }
  })
}

/** The worker has the private half too: nobody can give it a key that is somebody else's. */
async function assertHeld({ workerId, publicKey, proof, now }: KeyRequest & { workerId: string; now: number }) {
  try {
    await jwtVerify(proof, await importJWK(publicKey, 'EdDSA'), {
      algorithms: ['EdDSA'],
      audience: NEW_KEY_AUDIENCE,
      issuer: workerId,
      requiredClaims: ['iat'],
      maxTokenAge: TOKEN_MAX_S,
      clockTolerance: CLOCK_TOLERANCE_MS / 1000,
      currentDate: new Date(now),
    })
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) throw refused(`the new key has not signed for itself: ${error.message}`)
    throw error
  }
}

const refused = (why: string): TrueupError =>
  new TrueupError('FORBIDDEN', {
    doing: 'taking a new key of a worker',
    why,
    next: 'Enrol the worker anew (`trueup worker enrol`), and find out who sent this.',
  })
