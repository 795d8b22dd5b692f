import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { damageIn } from '../../git/damage.ts'
import { checkKeys, type UsedKeys } from '../database/keys.ts'
import { DATABASE_FILE, REPOSITORIES_DIRECTORY } from '../store.ts'
import type { DamagedRepository } from './manifest.ts'

interface Hosted {
  id: string
  name: string
  defaultBranch: string
  /** Where the default branch stood when it was last looked at. */
  oid: string | null
}

/**
 * What is damaged of the repositories in a copy of a data directory, by what the copied database knows of them. A damaged
 * one does not keep the others from being backed up.
 */
export async function damagedRepositories(copy: string): Promise<DamagedRepository[]> {
  const damaged: DamagedRepository[] = []
  for (const { id, name, defaultBranch, oid } of inDatabase(copy, hosted)) {
    const directory = join(copy, REPOSITORIES_DIRECTORY, `${id}.git`)
    const there = await access(directory).then(
      () => true,
      () => false,
    )
    const branch = oid === null ? null : `refs/heads/${defaultBranch}`
    const why = there ? await damageIn(directory, branch) : 'is missing'
    if (why !== null) damaged.push({ repository: name, why })
  }
  return damaged
}

/** Refuses a copy that lacks a key, or has another than its database was written with: DATA_CORRUPT. */
export async function refuseWithoutKeys(copy: string): Promise<void> {
  await checkKeys(copy, readUsedKeys(copy))
}

/** By which keys the database of a data directory was written, as it says itself. */
export const readUsedKeys = (dataDir: string): UsedKeys => inDatabase(dataDir, usedKeys)

function inDatabase<T>(copy: string, read: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(copy, DATABASE_FILE), { readOnly: true })
  try {
    return read(database)
  } finally {
    database.close()
  }
}

const hosted = (database: DatabaseSync): Hosted[] =>
  database
    .prepare(
      `select "id", "repositories"."name" as "name", "defaultBranch", "oid" from "repositories" left join "refs"
       on "refs"."repositoryId" = "id" and "refs"."name" = 'refs/heads/' || "defaultBranch" where "forge" = 'builtin'`,
    )
    .all() as unknown as Hosted[]

function usedKeys(database: DatabaseSync): UsedKeys {
  const rows = database.prepare(`select "key", "value" from "meta" where "key" in ('dataKeyId', 'auditKeyId')`).all()
  const used = new Map(rows.map(({ key, value }) => [String(key), String(value)]))
  return { dataKeyId: used.get('dataKeyId') ?? null, auditKeyId: used.get('auditKeyId') ?? null }
}
