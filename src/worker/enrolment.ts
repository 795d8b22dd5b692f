import { asTrueupError } from '../lib/errors/error.ts'
import { retry } from '../lib/retry.ts'
import { enrol } from './connection/http.ts'
import type { Route } from './connection/route.ts'
import type { Identity } from './identity.ts'
import type { Logger } from './logging.ts'
import type { RunnerOptions } from './options.ts'

const ENROLMENT_PAUSES = { first: 500, longest: 10_000 }

interface Enrolling {
  identity: Identity
  log: Logger
  kind: 'runner' | 'agent'
  signal: AbortSignal | undefined
  route: Route
}

/** Exchanges the token for an identity, for as long as the server cannot be reached. */
export async function enrolWith(
  options: RunnerOptions,
  { identity, log, kind, signal, route }: Enrolling,
): Promise<void> {
  if (options.token === undefined) await identity.token({ method: 'POST', path: '' }) // says what to do
  const { server, token = '', name } = options
  const workerId = await retry(() => enrol(server, { token, name, kind, publicKey: identity.publicKey }, route), {
    pauses: ENROLMENT_PAUSES,
    signal,
    again: (outcome) => !outcome.ok && asTrueupError(outcome.thrown, 'enrolling').retryable,
    onAgain: (outcome) => log.warn({ err: !outcome.ok && outcome.thrown }, 'server not reached, trying again'),
  })
  await identity.enrolled(workerId)
  log.info({ workerId }, 'enrolled')
}
