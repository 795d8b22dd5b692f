import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { TrueupError } from '../../lib/errors/error.ts'
import type { App } from '../auth/http-types.ts'

/** Lets the body of a worker's request through only as the worker has signed it. */
export function checkSignedBodies(app: App): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    const expected = request.workerProof?.bodySha256
    // Of a GET no body is read.
    if (expected === undefined || request.method === 'GET') return payload
    const hash = createHash('sha256')
    let isEmpty = true
    const checked = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        isEmpty = false
        hash.update(chunk)
        done(null, chunk)
      },
      flush(done) {
        const found = isEmpty ? null : hash.digest('base64url')
        done(found === expected ? null : changed())
      },
    })
    // Whoever reads it hears of it; where nobody does, it must not end the process.
    checked.on('error', () => {})
    return payload.pipe(checked)
  })
}

const changed = (): TrueupError =>
  new TrueupError('UNAUTHENTICATED', {
    doing: 'reading what a worker sent',
    why: 'the body is not the one that it has signed',
    next: 'Look at the proxies between worker and server: one of them changes requests.',
  })
