import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { Check } from './check.ts'

const REPAIR = 'Stop the server, then run `trueup doctor --repair`'

/** Git directories below a data directory; nothing is written, so a server may run on them. */
export async function checkRepositories(dataDir: string): Promise<Check[]> {
  const { damageIn } = await import('../../git/damage.ts')
  const root = join(dataDir, 'repositories')
  const names = (await readdir(root).catch(() => [])).filter((name) => name.endsWith('.git'))
  const checks: Check[] = []
  for (const name of names) {
    const directory = join(root, name)
    const wrong = await damageIn(directory)
    if (wrong !== null)
      checks.push({ name: 'repository', state: 'error', finding: `${directory} ${wrong}`, next: REPAIR })
  }
  return checks
}

/** Mends what can be mended. Takes the data directory's lock: DATA_LOCKED where a server runs. */
export async function repairRepositories(dataDir: string): Promise<Check[]> {
  const { openStore } = await import('../../store/open.ts')
  const { startGitService } = await import('../../git/service.ts')
  const { mendRepository } = await import('../../git/mend.ts')
  const { damageOf } = await import('../../engine/unusable/examine.ts')
  const { allRepositories } = await import('../../store/changes/repositories.ts')
  const { listRefs } = await import('../../store/changes/refs.ts')
  const { DATABASE_FILE } = await import('../../store/store.ts')
  if (!existsSync(join(dataDir, DATABASE_FILE))) {
    throw new TrueupError('NOT_FOUND', {
      doing: `mending the repositories of ${dataDir}`,
      why: `there is no ${DATABASE_FILE} in it`,
      next: 'Name the data directory of a server with --data; a lost database comes back by `trueup restore`.',
    })
  }
  const root = join(dataDir, 'repositories')
  const store = await openStore(dataDir)
  const checks: Check[] = []
  try {
    const git = await startGitService({ root })
    try {
      for (const repository of await allRepositories(store.db)) {
        const { id, name, defaultBranch } = repository
        const refs = new Map((await listRefs(store.db, id)).map((ref) => [ref.name, ref.oid]))
        try {
          const done = await mendRepository(join(root, `${id}.git`), { defaultBranch, refs })
          const left = await damageOf(store, git.repository(id), repository)
          const did = done.length === 0 ? 'whole' : `mended: ${done.join(', ')}`
          checks.push(
            left === null
              ? { name: `repository ${name}`, state: 'ok', finding: did }
              : {
                  name: `repository ${name}`,
                  state: 'error',
                  finding: `${did === 'whole' ? '' : `${did}; `}${left}`,
                  next: 'Bring it back from a backup with `trueup restore`',
                },
          )
        } catch (thrown) {
          const { text } = asTrueupError(thrown, `mending repository "${name}"`)
          checks.push({
            name: `repository ${name}`,
            state: 'error',
            finding: text.why,
            ...(text.next && { next: text.next }),
          })
        }
      }
    } finally {
      await git.close()
    }
  } finally {
    await store.close()
  }
  return checks
}
