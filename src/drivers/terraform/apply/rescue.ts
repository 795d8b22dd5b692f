import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import type { Session } from '../session.ts'

/** What the tool leaves in its directory when the state could not be stored at the end. */
const ERRORED_STATE = 'errored.tfstate'
const PUSH_MS = 60_000

/** Stores a state that the tool could not store: it is the only record of what was just made. */
export async function rescueState(context: DriverContext<TerraformConfig>, session: Session): Promise<Finding[]> {
  const errored = join(context.directory, ERRORED_STATE)
  const state = await readFile(errored, 'utf8').catch(() => null)
  if (state === null) return []
  context.log('the state could not be stored; trying once more')
  const encrypted = state.includes('"encrypted_data"')
  const stored = encrypted ? await storeAsItIs(session, state) : await push(context, session)
  if (stored) {
    return [{ severity: 'warning', code: 'state_rescued', message: 'the state was stored at the second attempt only' }]
  }
  const directory = join(context.cache, 'rescued')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const copy = join(directory, `${context.stack.id}-${Date.now()}.tfstate`)
  await copyFile(errored, copy)
  const next = encrypted
    ? `"${session.tool.name} state push" refuses encrypted states: once the backend accepts it again, put the bytes of that file there as they are (https://opentofu.org/docs/language/state/encryption/) before the next apply`
    : `it holds secrets in clear: once the backend accepts it again, run "${session.tool.name} state push" with that file before the next apply`
  return [
    {
      severity: 'error',
      code: 'state_not_stored',
      message: `the state after this apply could not be stored and is kept on the worker as ${copy}; ${next}`,
    },
  ]
}

async function push(context: DriverContext<TerraformConfig>, session: Session): Promise<boolean> {
  const command = session.command('state', 'push', '-no-color', ERRORED_STATE)
  const result = await context.run({ ...command, timeoutMs: PUSH_MS, graceMs: 5_000 })
  return result.exitCode === 0
}

/**
 * OpenTofu leaves the state encrypted, and its own `state push` reads it as one that is not (1.12). Trueup's backend takes
 * the bytes as the tool would have sent them, under a lock; of other backends the tool alone knows how.
 */
async function storeAsItIs({ backend }: Session, state: string): Promise<boolean> {
  const { TF_HTTP_ADDRESS: address, TF_HTTP_USERNAME: user, TF_HTTP_PASSWORD: password } = backend.env
  if (backend.kind !== 'trueup' || address === undefined) return false
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const lock = { ID: randomUUID(), Operation: 'state push', Info: 'a state that could not be stored' }
  const ask = async (method: string, path: string, body: string): Promise<boolean> => {
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await fetch(address + path, { method, headers, body, signal: AbortSignal.timeout(PUSH_MS) })
    await answer.arrayBuffer()
    return answer.ok
  }
  try {
    if (!(await ask('LOCK', '', JSON.stringify(lock)))) return false
    try {
      return await ask('POST', `?ID=${lock.ID}`, state)
    } finally {
      await ask('UNLOCK', '', JSON.stringify(lock))
    }
  } catch {
    return false
  }
}
