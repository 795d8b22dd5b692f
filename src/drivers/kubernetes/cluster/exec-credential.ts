import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'

/** `exec` of a user: a program that gives a token, as those of clouds do. */
export const ExecConfig = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
})
type ExecConfig = z.infer<typeof ExecConfig>

const Answer = z.object({
  status: z.object({ token: z.string().min(1), expirationTimestamp: z.string().nullish() }),
})

interface Known {
  token: string
  until: number
}

/** Tokens by program; without an end they are good for this long. Milliseconds. */
const known = new Map<string, Known>()
const UNKNOWN_LIFE = 60_000
const MARGIN = 30_000

/**
 * Runs the program (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins)
 * in the run's environment. TARGET_DENIED where it gives no token; client certificates from such a program are not used.
 */
export async function execToken(context: DriverContext<unknown>, exec: ExecConfig): Promise<string> {
  const key = JSON.stringify([exec, context.env])
  const kept = known.get(key)
  if (kept && kept.until > Date.now()) return kept.token
  const doing = `asking ${exec.command} for a token`
  const info = { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } }
  const env = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]))
  const result = await context.run({
    argv: [exec.command, ...(exec.args ?? [])],
    cwd: context.directory,
    env: { ...context.env, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    quiet: true,
    timeoutMs: 60_000,
  })
  const answer = result.exitCode === 0 ? Answer.safeParse(parseQuietly(result.stdout)) : null
  if (!answer?.success) {
    throw new TrueupError('TARGET_DENIED', {
      doing,
      why: result.exitCode === 0 ? 'its answer holds no token' : `it ended with ${result.exitCode ?? result.signal}`,
      next: 'Run it by hand on the worker; it has to print an ExecCredential with a token.',
    })
  }
  const { token, expirationTimestamp } = answer.data.status
  const end = expirationTimestamp ? Date.parse(expirationTimestamp) - MARGIN : Date.now() + UNKNOWN_LIFE
  context.mask(token)
  known.set(key, { token, until: Number.isNaN(end) ? 0 : end })
  return token
}

function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
