import { DeviceAnswer, DeviceLogin, LoginWays } from '../server/schemas/login-providers.ts'
import { TrueupError } from '../lib/errors/error.ts'
import type { createClient } from './client.ts'

interface DeviceWish {
  /** Name of a provider; true: the only one that the server has. */
  provider: string | true
  /** What the list of tokens calls it. */
  device: string
  note: (line: string) => void
  signal: AbortSignal
}

/** Shows where to log in with a browser, on this machine or another, and waits until that has happened. Answers with a token. */
export async function logInByDevice(
  client: Pick<ReturnType<typeof createClient>, 'get' | 'send'>,
  { provider, device, note, signal }: DeviceWish,
): Promise<string> {
  const name = provider === true ? await onlyProvider(client) : provider
  const path = `/api/v1/login/${encodeURIComponent(name)}/device`
  const { id, url, code } = await client.send('POST', path, DeviceLogin, { device })
  note(`Open ${url}`)
  note(`and see to it that it shows the code ${code}. Waiting…`)
  for (;;) {
    if (signal.aborted) throw new TrueupError('CANCELED', { doing: 'logging in', why: 'it was interrupted' })
    const answer = await client.send('POST', '/api/v1/login/device', DeviceAnswer, { id })
    if (answer.state === 'done') return answer.token
  }
}

async function onlyProvider(client: Pick<ReturnType<typeof createClient>, 'get'>): Promise<string> {
  const { providers } = await client.get('/api/v1/login/providers', LoginWays)
  const [only, another] = providers
  if (only && !another) return only.name
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'logging in by single sign-on',
    why: only ? 'the server has several providers' : 'the server has no login provider',
    next: only
      ? `Name one: --sso ${providers.map(({ name }) => name).join(', --sso ')}.`
      : 'Log in with --name; an administrator sets one up by `trueup sso set`.',
  })
}
