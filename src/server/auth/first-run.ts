import { join } from 'node:path'
import { writeDurably } from '../../lib/durable-file.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { newId } from '../../lib/ids.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Store } from '../../store/open.ts'
import { createToken, findTokenByHash } from '../../store/people/tokens.ts'
import { countUsers, createUser, listUsers } from '../../store/people/users.ts'
import { hashToken, newToken, packScopes } from './token.ts'
import { readOptional } from '../files.ts'

const FILE = 'admin.token'
export const FIRST_ADMIN = 'admin'

/**
 * At the first start makes the user `admin` with a token, in `<data>/admin.token` (0600). The file is written before the
 * account, so that a kill in between leaves a token that is made good at the next start, never an account without one.
 * Answers the file's path and whose token it is while that still works, otherwise nulls.
 */
export async function ensureFirstAdmin(
  store: Store,
  dataDir: string,
): Promise<{ file: string | null; userId: string | null; created: boolean }> {
  const file = join(dataDir, FILE)
  if ((await countUsers(store.db)) > 0) {
    const token = await readOptional(file)
    const row = token === null ? undefined : await findTokenByHash(store.db, hashToken(token.trim()))
    const works = row !== undefined && row.revokedAt === null
    return { file: works ? file : null, userId: works ? row.userId : null, created: false }
  }
  const { token, hash } = newToken('user')
  await writeDurably(file, `${token}\n`, 0o600)
  const userId = await store.transaction(async (tx) => {
    const admin = await createUser(tx, {
      name: FIRST_ADMIN,
      email: 'admin@localhost',
      kind: 'admin',
      passwordHash: null,
    })
    await createToken(tx, { userId: admin.id, name: 'first start', hash, scopes: packScopes(['admin']) })
    await appendAudit(tx, {
      actor: 'system',
      action: 'user.create',
      subject: admin.id,
      data: { name: FIRST_ADMIN, kind: 'admin' },
    })
    return admin.id
  })
  return { file, userId, created: true }
}

/**
 * Makes a new token for an administrator and puts it into `<data>/admin.token`, for an installation to which nobody can
 * log in any more (a restored backup holds no tokens in clear). Whoever can write the data directory may do this: they
 * could read the keys as well. Answers whose token it is. NOT_FOUND where there is no administrator.
 */
export async function recoverAdmin(store: Store, dataDir: string): Promise<{ file: string; name: string }> {
  const admins = (await listUsers(store.db, { limit: 500 })).items.filter((user) => user.kind === 'admin')
  const admin = admins.find((user) => user.disabledAt === null)
  if (!admin) {
    throw new TrueupError('NOT_FOUND', {
      doing: `making a token for an administrator of ${dataDir}`,
      why: 'no account there is an administrator that may log in',
      next: 'Check that this is the right data directory.',
    })
  }
  const file = join(dataDir, FILE)
  const { token, hash } = newToken('user')
  await store.transaction(async (tx) => {
    await createToken(tx, { userId: admin.id, name: newId('recovered'), hash, scopes: packScopes(['admin']) })
    await appendAudit(tx, { actor: 'system', action: 'token.recovered', subject: admin.id, data: { name: admin.name } })
  })
  await writeDurably(file, `${token}\n`, 0o600)
  return { file, name: admin.name }
}
