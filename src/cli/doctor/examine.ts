import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { VERSION } from '../../lib/version.ts'
import { Session } from '../../server/schemas/people.ts'
import type { Client } from '../client.ts'
import { databaseOf } from '../database-option.ts'
import type { Check } from './check.ts'
import { checkDatabaseAndKeys } from './database.ts'
import { checkData, checkInotify, checkTmpfs } from './machine.ts'
import { checkRepositories } from './repositories.ts'
import { checkGit, checkNode, checkTools } from './tools.ts'

const MAX_CLOCK_DIFFERENCE_MS = 10_000

/** Looks at everything; never throws for what it finds. */
export async function examine(options: { env: NodeJS.ProcessEnv; dataDir: string; client: Client }): Promise<Check[]> {
  const { env, dataDir, client } = options
  const [git, tools, data, database, repositories, server] = await Promise.all([
    checkGit(env),
    checkTools(env),
    checkData(dataDir),
    checkDatabaseAndKeys(dataDir, databaseOf(env, {})),
    checkRepositories(dataDir),
    checkServer(client),
  ])
  return [checkNode(), git, ...tools, checkTmpfs(), checkInotify(), data, ...database, ...repositories, ...server]
}

async function checkServer(client: Client): Promise<Check[]> {
  const { url } = client.connection
  try {
    const response = await client.open('/api/v1/version')
    const { version } = z.object({ version: z.string() }).parse(await response.json())
    return [serverCheck(url, version), clockCheck(response.headers.get('date')), await accountCheck(client)]
  } catch (error) {
    const why = error instanceof TrueupError ? error.text.why : String(error)
    return [
      {
        name: 'server',
        state: 'note',
        finding: `${url}: ${why}`,
        next: 'Start one with `trueup up`, or set TRUEUP_URL',
      },
    ]
  }
}

function serverCheck(url: string, version: string): Check {
  if (version === VERSION) return { name: 'server', state: 'ok', finding: `${url} is version ${version}` }
  return {
    name: 'server',
    state: 'warning',
    finding: `${url} is version ${version}, this is ${VERSION}`,
    next: 'Use the same version',
  }
}

/** Workers sign with the time: a clock that is far off is refused. */
function clockCheck(date: string | null): Check {
  const difference = Math.abs(Date.now() - Date.parse(date ?? ''))
  if (!(difference > MAX_CLOCK_DIFFERENCE_MS)) return { name: 'clock', state: 'ok', finding: 'agrees with the server' }
  return {
    name: 'clock',
    state: 'warning',
    finding: `${Math.round(difference / 1000)} s from the server's`,
    next: 'Set it by NTP',
  }
}

async function accountCheck(client: Client): Promise<Check> {
  try {
    const session = await client.get('/api/v1/session', Session)
    return { name: 'account', state: 'ok', finding: `${session.user.name}, scopes ${session.token.scopes.join(', ')}` }
  } catch (error) {
    const finding = error instanceof TrueupError ? error.text.why : String(error)
    return { name: 'account', state: 'note', finding, next: 'Log in with `trueup login`' }
  }
}
