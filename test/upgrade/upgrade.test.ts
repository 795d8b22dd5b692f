import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type Client, createClient } from '../../src/cli/client.ts'
import { collect } from '../../src/cli/output.ts'
import type { TrueupError } from '../../src/lib/errors/error.ts'
import { MrDetail, MrSummary } from '../../src/server/schemas/merge-requests.ts'
import { AuditVerdict } from '../../src/server/schemas/operations.ts'
import { RunSummary } from '../../src/server/schemas/plans.ts'
import { Stack } from '../../src/server/schemas/stacks.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'
import { type FaultServer, startServer } from '../faults/server.ts'
import { until } from '../faults/wait.ts'
import { REPOSITORY } from '../faults/world.ts'
import { STACKS } from './stacks.ts'

// A data directory that an earlier version was killed in (record.ts), with runs that wait and work, under today's code.
let directory: string
let server: FaultServer
let people: { admin: Client; ada: Client; bob: Client }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-upgrade-'))
  const [dataDir, workDir] = [join(directory, 'data'), join(directory, 'work')]
  for (const path of [dataDir, workDir]) await mkdir(path, { mode: 0o700 })
  execFileSync('tar', ['--extract', '--gzip', '--file', join(import.meta.dirname, 'schema-8.tar.gz'), '-C', dataDir])
  const logFile = join(directory, 'log')
  server = await startServer({
    dataDir,
    workDir,
    logFile,
    port: await freePort(),
    hold: directory,
    slots: 4,
    lease: '15s',
  })
  const tokens = z
    .object({ admin: z.string(), ada: z.string(), bob: z.string() })
    .parse(JSON.parse(await readFile(join(dataDir, 'tokens.json'), 'utf8')))
  const client = (token: string): Client => createClient({ url: server.url, token, source: 'environment' })
  people = { admin: client(tokens.admin), ada: client(tokens.ada), bob: client(tokens.bob) }
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

const mrOf = async (branch: string): Promise<MrDetail> => {
  const all = await collect(people.ada.all(`${REPOSITORY}/merge-requests`, MrSummary, { state: 'all' }))
  const { number } = all.find(({ sourceBranch }) => sourceBranch === branch)!
  return await people.ada.get(`${REPOSITORY}/merge-requests/${number}`, MrDetail)
}

const runsOf = async (number: number): Promise<RunSummary[]> => {
  const runs = await collect(people.ada.all(`${REPOSITORY}/runs`, RunSummary, { mr: number }))
  return runs.filter(({ kind }) => kind === 'deploy')
}

/** Does what only a person may, until everything of a merge request is deployed. */
async function seeThrough({ number }: MrDetail): Promise<void> {
  const asked = new Set<string>()
  await until(
    `!${number} is deployed`,
    async () => {
      const newest = new Map((await runsOf(number)).reverse().map((run) => [run.stack, run]))
      for (const { id, state, planDigest: digest } of newest.values()) {
        const [way, body] = state === 'awaiting_approval' ? ['approve', { digest }] : ['retry', undefined]
        if (!['awaiting_approval', 'failed', 'canceled'].includes(state) || asked.has(`${id} ${digest}`)) continue
        await people.bob.send('POST', `/api/v1/runs/${id}/${way}`, z.unknown(), body).catch((thrown: TrueupError) => {
          // It has moved on between the look and the word.
          if (!['CONFLICT', 'PLAN_CHANGED'].includes(thrown.code)) throw thrown
        })
        asked.add(`${id} ${digest}`)
      }
      return newest.size > 0 && [...newest.values()].every(({ state }) => state === 'succeeded')
    },
    280_000,
    async () => JSON.stringify((await runsOf(number)).map(({ stack, state, reason }) => [stack, state, reason])),
  )
}

test('what an earlier version left waiting and working goes on under this one, to its right end', async () => {
  const second = await mrOf('two')
  expect(second.state).toBe('merged')
  // What it was in the middle of is not taken for done.
  const before = new Map((await runsOf(second.number)).map(({ stack, state }) => [stack, state]))
  expect(before.get('production/applying')).not.toBe('succeeded')
  await seeThrough(second)
})

test('its open merge requests are merged: with the approval that they had, and with a new one', async () => {
  const merge = async (branch: string): Promise<void> => {
    const { number } = await mrOf(branch)
    await people.ada.send('POST', `${REPOSITORY}/merge-requests/${number}/merge`, MrDetail, {})
    await seeThrough(await mrOf(branch))
  }
  await merge('approved')
  const { number, head, digests, mergeable } = await mrOf('open')
  expect(mergeable).toBe(false)
  const review = { verdict: 'approve', head, digests }
  await people.bob.send('POST', `${REPOSITORY}/merge-requests/${number}/reviews`, MrDetail, review)
  await merge('open')
})

test('afterwards everything is deployed, the audit chain goes through, and Git is whole', async () => {
  const stacks = await collect(people.ada.all(`${REPOSITORY}/stacks`, Stack))
  // The tool has no memory, so a check that comes some seconds after the deployment sees drift.
  const atRest = stacks.filter(({ state }) => state === 'in_sync' || state === 'drifted').map(({ name }) => name)
  expect(atRest.toSorted((a, b) => a.localeCompare(b))).toEqual(STACKS.toSorted((a, b) => a.localeCompare(b)))
  expect(await people.admin.send('POST', '/api/v1/audit/verify', AuditVerdict, {})).toMatchObject({ ok: true })
  const root = join(directory, 'data', 'repositories')
  execFileSync('sh', ['-c', `for each in "${root}"/*.git; do git --git-dir "$each" fsck --full || exit 1; done`])
})
