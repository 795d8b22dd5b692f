import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Checkout, openCheckout } from './checkout.ts'
import { makeKey, openKey, type PipelineKey } from './key.ts'
import { sharedRefs } from './refs.ts'
import { openState, type StateStore } from './state.ts'

let directory: string
let key: PipelineKey
const checkouts: Checkout[] = []
const commits: string[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trueup-ci-state-'))
  key = await openKey(await makeKey())
  git('init', '--quiet', '--bare', 'remote.git')
  git('clone', '--quiet', 'remote.git', 'first')
  for (const message of ['one', 'two']) {
    git('-C', 'first', '-c', 'user.name=a', '-c', 'user.email=a@x', 'commit', '-qm', message, '--allow-empty')
    commits.push(git('-C', 'first', 'rev-parse', 'HEAD'))
  }
  git('-C', 'first', 'push', '--quiet', 'origin', 'HEAD:main')
})
afterAll(async () => {
  for (const checkout of checkouts) await checkout.close()
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
})

const git = (...argv: string[]): string =>
  execFileSync('git', argv, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

/** A pipeline with a clone of its own. `frozen`: as one whose machine stands still, nothing of it gets out. */
async function pipeline(name: string, how: { frozen?: boolean; leaseMs?: number } = {}): Promise<StateStore> {
  if (name !== 'first') git('clone', '--quiet', 'remote.git', name)
  const options = { directory: join(directory, name), data: join(directory, `${name}.data`), env: process.env }
  const { signal } = new AbortController()
  const checkout = await openCheckout(options)
  checkouts.push(checkout)
  const refs = sharedRefs(checkout, 'origin')
  const move: typeof refs.move = async (...to) => {
    if (how.frozen) throw new Error('nothing gets out')
    return await refs.move(...to)
  }
  const { leaseMs = 60_000 } = how
  return openState({ checkout, refs: { ...refs, move }, key, leaseMs, waitMs: 60_000, signal })
}

const outputs = {
  address: { value: 'db.example.test', sensitive: false },
  password: { value: 'hunter-of-2', sensitive: true },
}

it('keeps a stack in the repository, with its secrets sealed', async () => {
  const state = await pipeline('first')
  const held = await state.take('live/db')
  const deployed = { commit: commits[0]!, digest: 'sha256:1', ...state.sealed(outputs), at: 5 }
  await held.release({ deployed })
  const found = (await (await pipeline('second')).look()).get('live/db')!
  expect(found).toMatchObject({ stack: 'live/db', lease: null, deployed: { commit: commits[0]! } })
  expect(state.outputsOf(found.deployed!)).toEqual(outputs)
  const kept = git('-C', 'remote.git', 'cat-file', 'blob', 'refs/trueup/ci/stacks/live%2Fdb:state.json')
  expect(kept).toContain('db.example.test')
  expect(kept).not.toContain('hunter')
})

it('gives a stack to whoever comes after a pipeline that shows no life, and shuts that one out', async () => {
  const how = { frozen: false, leaseMs: 1_500 }
  const held = await (await pipeline('asleep', how)).take('live/web')
  how.frozen = true
  const next = await (await pipeline('awake', { leaseMs: 1_500 })).take('live/web')
  expect(held.lost.aborted).toBe(true)
  how.frozen = false
  await expect(held.release({ broken: { commit: '', why: 'late', lost: false } })).rejects.toMatchObject({
    code: 'CI_LEASE_LOST',
  })
  await next.release({})
}, 60_000)

it('says so where the job may not push', async () => {
  const state = await pipeline('refused')
  const hook = join(directory, 'remote.git', 'hooks', 'pre-receive')
  writeFileSync(hook, '#!/bin/sh\necho not here >&2\nexit 1\n', { mode: 0o755 })
  await expect(state.take('live/other')).rejects.toMatchObject({
    code: 'CI_PUSH',
    text: { why: expect.stringMatching(/pre-receive hook declined/) as string },
  })
  rmSync(hook)
})

it('knows the newer of two merges by the history', async () => {
  const [older, newer] = commits as [string, string]
  const state = await pipeline('third')
  expect(await state.announce(older)).toBe(older)
  expect(await state.announce(newer)).toBe(newer)
  expect(await (await pipeline('fourth')).announce(older)).toBe(newer)
  git('-C', 'third', 'checkout', '--quiet', '--orphan', 'other')
  git('-C', 'third', '-c', 'user.name=a', '-c', 'user.email=a@x', 'commit', '-qm', 'other', '--allow-empty')
  const other = git('-C', 'third', 'rev-parse', 'HEAD')
  await expect(state.announce(other)).rejects.toMatchObject({ code: 'CI_DIVERGED' })
})
