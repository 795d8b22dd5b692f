import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startRunnerProcess, type RunnerProcess } from '../../test/worker-peer/runner-process.ts'
import { until } from '../../test/worker-peer/use-runners.ts'
import { keyIdOf } from '../domain/wire/request-proof.ts'
import { useServer } from '../server/testing/use-server.ts'
import { createWorkerIdentity } from '../server/worker/identity.ts'
import { silentLogger } from '../lib/log.ts'
import { getWorker, patchWorker } from '../store/workers/workers.ts'
import { enrol, httpClient } from './connection/http.ts'
import { loadIdentity } from './identity.ts'
import { keyRotation } from './key-rotation.ts'
import { WORKER_PATHS } from './protocol.ts'

/** What happens when a request for a new key comes in, and when its answer goes out. */
const strikes: { before?: (() => void) | undefined; after?: (() => void) | undefined } = {}
const { server, admin } = useServer({
  hooks: (app) => {
    const strike = (at: 'before' | 'after') => {
      const struck = strikes[at]
      delete strikes[at]
      struck?.()
      if (struck && at === 'before') throw new Error('nobody is there to be answered')
    }
    app.addHook('onRequest', async (request) => {
      if (request.url === WORKER_PATHS.key) strike('before')
    })
    app.addHook('onSend', async (request) => {
      if (request.url === WORKER_PATHS.key) strike('after')
    })
  },
})

const directories: string[] = []
const runners: RunnerProcess[] = []
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.end('SIGKILL')))
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

async function place(): Promise<{ data: string; enrolment: string }> {
  const data = mkdtempSync(join(tmpdir(), 'trueup-rotation-'))
  directories.push(data)
  const { body } = await admin.request('POST', '/api/v1/workers/enrolments', { pools: ['edge'] })
  return { data, enrolment: body.token }
}
const storedIn = (data: string): { privateKey: string; nextKey?: string; workerId: string } =>
  JSON.parse(readFileSync(join(data, 'identity.json'), 'utf8'))
const keyAt = async (id: string) => (await getWorker(server.store.db, id))!.publicKey['x']

it.each(['before', 'after'] as const)('goes on where kill -9 strikes %s the server has taken the key', async (at) => {
  const { data, enrolment } = await place()
  const start = (...more: string[]) => {
    const runner = startRunnerProcess({ url: server.url, enrolment }, data, ['--name', `killed-${at}`, ...more])
    runners.push(runner)
    return runner
  }
  const first = start()
  await until(() => first.log().includes('"connected"'))
  const { workerId, privateKey } = storedIn(data)
  const former = await keyAt(workerId)
  strikes[at] = () => process.kill(first.process.pid!, 'SIGKILL')
  await admin.request('POST', `/api/v1/workers/${workerId}/rotation`)
  await until(() => first.process.signalCode === 'SIGKILL')
  const left = storedIn(data)
  expect(left.privateKey).toBe(privateKey)
  expect(left.nextKey).toBeDefined()
  if (at === 'before') expect(await keyAt(workerId)).toBe(former)

  const second = start()
  await until(() => second.log().includes('has a new key'))
  const now = storedIn(data)
  expect(now).toEqual({ workerId, privateKey: left.nextKey })
  expect(await keyAt(workerId)).not.toBe(former)
  expect((await getWorker(server.store.db, workerId))!.keyAskedAt).toBeNull()
})

it('goes on where the answer was lost for longer than the former key counts', async () => {
  const { data, enrolment } = await place()
  const identity = await loadIdentity(join(data, 'identity.json'))
  const wish = { token: enrolment, name: 'late', kind: 'runner', publicKey: identity.publicKey } as const
  await identity.enrolled(await enrol(server.url, wish))
  const rotation = keyRotation({ identity, http: httpClient(server.url, identity), log: silentLogger })
  strikes.after = () => server.app.server.closeAllConnections()
  expect(await rotation.rotate()).toBe(false)
  expect(identity.isRotating).toBe(true)
  await patchWorker(server.store.db, identity.workerId!, { formerKeyUntil: Date.now() - 1 })
  expect(await rotation.rotate()).toBe(true)
  expect(await keyAt(identity.workerId!)).toBe(identity.publicKey.x)
})

it('at a start, when it is asked for there', async () => {
  const { data, enrolment } = await place()
  const args = ['--rotate-key', '--name', 'asked']
  const runner = startRunnerProcess({ url: server.url, enrolment }, data, args)
  runners.push(runner)
  await until(() => runner.log().includes('has a new key'))
  const { workerId } = storedIn(data)
  const worker = (await getWorker(server.store.db, workerId))!
  expect(worker.keyChangedAt).not.toBeNull()
  const identity = createWorkerIdentity(server)
  // The connection that stands was made with the former key, and still counts.
  await identity.assertTrusted({ workerId, keyId: keyIdOf(worker.formerKey!) })
})
