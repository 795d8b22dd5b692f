import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { downloadBackup } from '../../../src/cli/download-backup.ts'
import { CreatedToken } from '../../../src/server/schemas/people.ts'
import { Repository } from '../../../src/server/schemas/repositories.ts'
import { Worker } from '../../../src/server/schemas/operations.ts'
import { backupStore } from '../../../src/store/backup/backup.ts'
import { restoreStore } from '../../../src/store/backup/restore.ts'
import type { Acknowledged } from '../acknowledged.ts'
import { freePort } from '../../../src/lib/testing/free-port.ts'
import { launch, startServer } from '../server.ts'
import type { Sources } from '../stacks.ts'
import { until } from '../wait.ts'
import { REPOSITORY, type World } from '../world.ts'
import type { Disk } from './disk.ts'

export interface Scene {
  world: World
  disk: Disk
  facts: Acknowledged
}

/** One thing that somebody does, ready to be done. */
export interface Prepared {
  /** Resolves when it is acknowledged. */
  go(): Promise<void>
  /** After the cut, the server runs again: what of it is lost, or null. Not acknowledged it may be there or not, never half. */
  check(acknowledged: boolean): Promise<string | null>
}

/** `id` is unique and may be a name, a branch, a directory. */
export type Act = (scene: Scene, id: string) => Promise<Prepared>

const push: Act = async ({ world: { copy }, facts }, id) => {
  await copy.git('fetch', '--quiet', 'origin')
  await copy.git('switch', '--quiet', '--create', id, 'origin/main')
  await writeFile(join(copy.directory, `${id}.bin`), randomBytes(1 + Math.floor(Math.random() * 300_000)))
  await copy.git('add', '--all')
  await copy.git('commit', '--quiet', '--message', id)
  const oid = (await copy.git('rev-parse', 'HEAD')).trim()
  await copy.git('switch', '--quiet', '--detach', 'origin/main')
  return {
    go: async () => void (await copy.git('push', '--quiet', 'origin', id)),
    async check(acknowledged) {
      if (acknowledged) facts.pushed(`refs/heads/${id}`, oid)
      // No lock may stand in the way, and what came half may come again.
      else await copy.git('push', '--quiet', 'origin', id)
      return null
    },
  }
}

const repository: Act = async ({ world }, id) => ({
  go: async () => void (await world.admin.send('POST', '/api/v1/repositories', Repository, { name: id })),
  async check(acknowledged) {
    const path = `/api/v1/repositories/${id}`
    const found = await world.admin.get(path, Repository).catch(() => null)
    if (found === null) return acknowledged ? `repository ${id}` : null
    if (found.damage !== null) return `repository ${id}: ${found.damage}`
    await world.admin.send('PUT', `${path}/members/ada`, z.unknown(), { role: 'deployer' })
    await world.copy.git('push', '--quiet', found.gitUrl, 'origin/main:refs/heads/main')
    return null
  },
})

const token: Act = async ({ world }, id) => {
  let made = ''
  return {
    async go() {
      made = (await world.ada.send('POST', '/api/v1/tokens', CreatedToken, { name: id, scopes: ['read'] })).token
    },
    async check(acknowledged) {
      if (!acknowledged) return null
      const headers = { authorization: `Bearer ${made}` }
      const { status } = await fetch(`${world.server.url}${REPOSITORY}`, { headers })
      return status === 200 ? null : `token ${id}: ${status}`
    },
  }
}

/** What the one stack of the world should be: a directory on the same disk, so that what was applied is cut too. */
export const siteOf = ({ world }: Scene, id: string): Sources => ({
  'trueup.yaml': `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1 }
    drift: { mode: observe, interval: 1h }
stacks:
  - path: site
    driver: files
    environments: [production]
    with: { target: ${JSON.stringify(join(world.target, 'site'))} }
`,
  'site/page': `${id}\n`,
})

const merge: Act = async (scene, id) => {
  const { world, facts } = scene
  const { number } = await world.propose(id, siteOf(scene, id))
  await world.approve(number)
  let commit = ''
  return {
    async go() {
      commit = (await world.merge(number)).mergeCommit ?? ''
    },
    async check(acknowledged) {
      if (!acknowledged) commit = (await mergedOnce(world, number)) ?? ''
      facts.merged(number, commit)
      return await deployed(scene, number, id)
    },
  }
}

/** Merged by whoever asked before the cut, or now. */
async function mergedOnce(world: World, number: number): Promise<string | null> {
  let commit: string | null = null
  await until(`!${number} is merged`, async () => {
    const mr = await world.mr(number)
    const merged = mr.state === 'merged' ? mr : await world.merge(number).catch(() => null)
    commit = merged?.mergeCommit ?? null
    return commit !== null
  })
  return commit
}

/** Null as soon as what was merged is what is there. */
export async function deployed({ world }: Scene, number: number, id: string): Promise<string | null> {
  const page = join(world.target, 'site', 'page')
  const isThere = (): boolean => existsSync(page) && readFileSync(page, 'utf8') === `${id}\n`
  await until(
    `!${number} is deployed`,
    async () => {
      const [run] = await world.runs(number)
      if (run && ['failed', 'canceled', 'lost'].includes(run.state) && isNewest(run.id))
        await world.ada.send('POST', `/api/v1/runs/${run.id}/retry`, z.unknown()).catch(() => undefined)
      return run?.state === 'succeeded'
    },
    90_000,
    async () => JSON.stringify(await world.runs(number)),
  )
  return isThere() ? null : `what !${number} applied: ${page} is not "${id}"`
}

const retried = new Set<string>()
const isNewest = (run: string): boolean => !retried.has(run) && retried.add(run).has(run)

const apply: Act = async (scene, id) => {
  const { world, facts } = scene
  const { number } = await world.propose(id, siteOf(scene, id))
  await world.approve(number)
  facts.merged(number, (await world.merge(number)).mergeCommit ?? '')
  const result = async () => (await world.runs(number)).find(({ state }) => state === 'succeeded')
  let run: string | undefined
  return {
    async go() {
      while (run === undefined) {
        run = (await result())?.id
        await sleep(5)
      }
    },
    async check(acknowledged) {
      if (acknowledged && (await result())?.id !== run) return `the result of run ${run} of !${number}`
      return await deployed(scene, number, id)
    },
  }
}

/** Every second one through the server. */
const backup: Act = async ({ world, disk }, id) => {
  const target = join(disk.path, id)
  const remote = Math.random() < 0.5
  return {
    go: async () =>
      void (await (remote ? downloadBackup(world.admin, target) : backupStore(world.options.dataDir, target))),
    async check(acknowledged) {
      const there = existsSync(target)
      try {
        if (!there) return acknowledged ? `backup ${id}` : null
        // Compares every file with the manifest and has the database checked.
        const damage = await restoreStore(target, join(world.directory, id)).catch((thrown: Error) => thrown.message)
        return typeof damage === 'string' ? `${remote ? 'fetched ' : ''}backup ${id}: ${damage}` : null
      } finally {
        for (const path of [target, `${target}.partial`, join(world.directory, id)])
          await rm(path, { recursive: true, force: true })
      }
    },
  }
}

const restore: Act = async ({ world, disk }, id) => {
  const [source, target] = [join(world.directory, `${id}-backup`), join(disk.path, id)]
  await backupStore(world.options.dataDir, source)
  return {
    go: async () => void (await restoreStore(source, target)),
    async check(acknowledged) {
      try {
        if (!acknowledged) await restoreStore(source, target).catch(() => rm(target, { recursive: true, force: true }))
        // A backup of it finds what is missing; a database that cannot be read has none.
        const copy = join(world.directory, `${id}-copy`)
        const made = await backupStore(target, copy).catch((thrown: Error) => thrown.message)
        await rm(copy, { recursive: true, force: true })
        return typeof made === 'string' && acknowledged ? `restored ${id}: ${made}` : null
      } finally {
        for (const path of [source, target]) await rm(path, { recursive: true, force: true })
      }
    },
  }
}

/** The first start of an installation: its keys, its database, its first token, its runner's identity. */
const first: Act = async ({ world, disk }, id) => {
  const root = join(disk.path, id)
  await mkdir(root)
  const [dataDir, workDir] = [join(root, 'data'), join(root, 'work')]
  const options = { ...world.options, dataDir, workDir, port: await freePort(), slots: 1 }
  let token = ''
  return {
    async go() {
      const { exited } = launch(options)
      const gone = exited.then(() => Promise.reject(new Error('it has ended')))
      const ready = async (): Promise<void> => {
        while (!(await fetch(`http://127.0.0.1:${options.port}/readyz`).catch(() => null))?.ok) await sleep(10)
        token = readFileSync(join(dataDir, 'admin.token'), 'utf8').trim()
      }
      await Promise.race([gone, ready()])
    },
    async check(acknowledged) {
      const server = await startServer(options)
      try {
        const now = await server.adminToken()
        if (acknowledged && now !== token) return `the first token of ${id}`
        const headers = { authorization: `Bearer ${now}` }
        const workers = async (): Promise<z.infer<typeof Worker>[]> => {
          const answer = await fetch(`${server.url}/api/v1/workers`, { headers })
          if (answer.status !== 200) throw new Error(`the first token of ${id} is answered ${answer.status}`)
          return z.object({ items: z.array(Worker) }).parse(await answer.json()).items
        }
        await until('the runner of a first start comes', async () =>
          (await workers()).some((worker) => worker.connected),
        )
        return null
      } finally {
        await server.stop()
        await rm(root, { recursive: true, force: true })
      }
    },
  }
}

export const ACTS: { readonly [name: string]: Act } = {
  push,
  repository,
  merge,
  apply,
  token,
  backup,
  first,
  restore,
}
