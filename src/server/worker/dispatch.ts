import { METHODS, type Method } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { VERSION } from '../../lib/version.ts'
import type { WorkerApi } from '../../engine/worker/worker-api.ts'

/** Checks a call against the protocol and makes it. METHOD_UNKNOWN; INVALID_REQUEST for wrong parameters. */
export async function dispatch(api: WorkerApi, workerId: string, method: string, params: unknown): Promise<unknown> {
  if (!Object.hasOwn(METHODS, method))
    throw new TrueupError('METHOD_UNKNOWN', {
      doing: 'answering a worker',
      why: `this server (Trueup ${VERSION}) knows no method "${method.slice(0, 50)}"`,
    })
  const known = method as Method
  const parsed = METHODS[known].params.safeParse(params)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw invalid(method, `${issue?.path.join('.') || 'params'}: ${issue?.message}`)
  }
  return api.call(workerId, known, parsed.data as never)
}

const invalid = (method: string, why: string): TrueupError =>
  new TrueupError('INVALID_REQUEST', {
    doing: `worker call "${method.slice(0, 50)}"`,
    why,
    next: 'Use a worker of the same version as the server.',
  })
