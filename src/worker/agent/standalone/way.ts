import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { GitRepository } from '../../../git/repository.ts'
import { startGitService } from '../../../git/service.ts'
import type { Way } from '../../runner.ts'
import { openHeld } from '../held.ts'
import { type Packs, walkBack } from '../packs.ts'
import { signedSource } from '../source.ts'
import { createTurns } from '../turns.ts'
import { createAuthority } from './authority.ts'
import { reportCommits } from './commit-status.ts'
import type { StandaloneSettings } from './config.ts'
import { followBranch } from './follow.ts'
import { openLedger } from './ledger.ts'
import { openPage } from './page.ts'

const REPOSITORY = 'desired'
/** All of the branch is there: a pack of one stack alone is never fetched. */
const WHOLE = 'whole'

/** The way of an agent without a server: it follows a branch of any Git remote, and answers its own questions. */
export function standaloneWay(settings: StandaloneSettings): Way {
  const { agent, name, remote, pollMs } = settings
  let connect: Way['connect']
  return {
    kind: 'agent',
    connect: (ends) => connect!(ends),
    async openSource({ data, log }) {
      mkdirSync(data, { recursive: true, mode: 0o700 })
      const git = await startGitService({ root: join(data, 'git'), log })
      const repository = git.repository(REPOSITORY)
      await repository.init('main')
      const database = new DatabaseSync(join(data, 'held.sqlite'))
      const held = openHeld(database)
      const ledger = openLedger(database)
      const key = (of: string): string => ledger.once(`key.${of}`, () => randomBytes(32).toString('base64'))
      const config = join(data, 'git-remote.config')
      writeGitConfig(config, settings)
      const follower = await followBranch({
        name,
        repository,
        remote: { ...remote, config },
        rules: agent.repositories[name]!,
        ledger,
        pollMs,
        log,
        onTaken: () => authority.changed(),
      })
      const authority = createAuthority({
        repository: name,
        ledger,
        desired: () => follower.desired,
        variables: agent.variables,
        keys: { hash: key('hash'), plan: key('plan') },
      })
      connect = authority.connect
      const reporting = reportCommits({ settings, ledger, desired: () => follower.desired, log })
      const page = await openPage({ settings, ledger, log })
      const packs = wholeBranch(repository)
      const parts = { settings: agent, repository, held, packs, turns: createTurns(), poke: () => {} }
      follower.start()
      return {
        ...signedSource(parts),
        async close() {
          await page?.close()
          await reporting.close()
          await follower.close()
          database.close()
          await git.close()
        },
      }
    },
  }
}

function wholeBranch(repository: GitRepository): Packs {
  return {
    take: async () => WHOLE,
    keep: (names) => names,
    drop: async () => {},
    forget: async () => {},
    assertAfter: (_stack, range) => walkBack(repository, range),
  }
}

/** Read by git alone, and by nobody else: the password is in it. What the operator's file says comes after, and wins. */
function writeGitConfig(file: string, { remote, credentials, gitConfig }: StandaloneSettings): void {
  const lines = ['[core]', '\tsshCommand = ssh -o BatchMode=yes']
  if (credentials) {
    const { username, password } = credentials
    const basic = Buffer.from(`${username}:${password}`).toString('base64')
    // For the server of this repository alone.
    lines.push(
      `[http ${JSON.stringify(new URL(remote.url).origin)}]`,
      `\textraHeader = "Authorization: Basic ${basic}"`,
    )
  }
  if (gitConfig !== undefined) lines.push('[include]', `\tpath = ${JSON.stringify(gitConfig)}`)
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  chmodSync(file, 0o600)
}
