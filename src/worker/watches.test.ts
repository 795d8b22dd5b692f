import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { until, useRunners } from '../../test/worker-peer/use-runners.ts'
import type { WatchOrder } from './protocol.ts'

const { peer, inside, start } = useRunners()
beforeEach(() => void start())

const drifted = () => peer.calls.filter(({ method }) => method === 'drifted')

test('a change by hand is told within a moment; a watch that is taken back is quiet', async () => {
  const target = inside('target')
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
  await until(() => existsSync(inside('ws')) && readdirSync(inside('ws')).length === 1)
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
  await until(() => readdirSync(inside('ws')).length === 2)

  peer.send({ event: 'watches', watches: [] })
  await until(() => readdirSync(inside('ws')).length === 0)
  const before = drifted().length
  writeFileSync(join(target, 'app.conf'), 'bad again\n')
  const run = peer.add({ driverConfig: { plan: 'exit 0', apply: 'true' } })
  await until(() => run.state === 'succeeded')
  expect(drifted().length).toBe(before)
})
