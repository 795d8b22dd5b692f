import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startPeer, type WorkerPeer } from '../../test/worker-peer/peer.ts'
import { startRunnerProcess, type RunnerProcess } from '../../test/worker-peer/runner-process.ts'
import type { WatchOrder } from './protocol.ts'

let peer: WorkerPeer
let dir: string
let runner: RunnerProcess
beforeEach(async () => {
  peer = await startPeer()
  dir = mkdtempSync(join(tmpdir(), 'trueup-watches-'))
  runner = startRunnerProcess(peer, join(dir, 'data'), ['--workspaces', join(dir, 'ws')])
})
afterEach(async () => {
  await runner.end('SIGKILL')
  await peer.close()
  rmSync(dir, { recursive: true, force: true })
})

const until = (condition: () => unknown) =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout: 15_000, interval: 20 })
const drifted = () => peer.calls.filter(({ method }) => method === 'drifted')

test('a change by hand is told within a moment; a watch that is taken back is quiet', async () => {
  const target = join(dir, 'target')
  mkdirSync(target)
  writeFileSync(join(target, 'app.conf'), 'good\n')
  const stack = { id: 'stk_1', repository: 'shop', environment: 'staging', name: 'host', path: 'host' }
  const order: WatchOrder = {
    stack,
    driver: 'files',
    driverConfig: { target },
    commit: 'c1',
    desiredDigest: 'sha256:1',
    paths: ['host'],
    inputs: {},
    variables: {},
    ignore: [],
    keys: { hash: 'aGFzaA==', plan: 'cGxhbg==' },
  }
  peer.watched.set('stk_1', { 'host/app.conf': 'good\n' })
  await until(() => peer.connections() === 1 && peer.calls.some(({ method }) => method === 'lease'))
  peer.send({ event: 'watches', watches: [order] })
  await until(() => existsSync(join(dir, 'ws')) && readdirSync(join(dir, 'ws')).length === 1)
  // What changed while nobody watched: the first watch asks for a check by itself.
  await until(() => drifted().length > 0)
  expect(drifted()[0]?.params).toMatchObject({ stackId: 'stk_1', addresses: ['*'] })
  writeFileSync(join(target, 'app.conf'), 'bad\n')
  await until(() => drifted().length > 1)
  expect(drifted()[1]?.params).toMatchObject({ stackId: 'stk_1', addresses: [expect.stringContaining('app.conf')] })

  // A deployment replaces the watch: an edit between the end of the one and the other is found by the new one's first look.
  const told = drifted().length
  const other = { ...order, stack: { ...stack, id: 'stk_2' } }
  peer.watched.set('stk_2', { 'host/app.conf': 'good\n' })
  peer.send({ event: 'watches', watches: [{ ...order, commit: 'c2' }], of: ['stk_1'] })
  await until(() => drifted().length > told)
  expect(drifted()[told]?.params).toMatchObject({ stackId: 'stk_1', addresses: ['*'] })
  // What one stack's deployment says leaves the watches of others as they are.
  peer.send({ event: 'watches', watches: [other], of: ['stk_2'] })
  await until(() => readdirSync(join(dir, 'ws')).length === 2)

  peer.send({ event: 'watches', watches: [] })
  await until(() => readdirSync(join(dir, 'ws')).length === 0)
  const before = drifted().length
  writeFileSync(join(target, 'app.conf'), 'bad again\n')
  const run = peer.add({ driverConfig: { plan: 'exit 0', apply: 'true' } })
  await until(() => run.state === 'succeeded')
  expect(drifted().length).toBe(before)
})
