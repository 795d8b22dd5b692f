import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach } from 'vitest'
import type { RunKind } from '../../domain/runs/run.ts'
import { hashKeyContext } from '../../engine/keys.ts'
import { makeTerraformStates, type StateActor, type TerraformStates } from '../../engine/state-backend/state-backend.ts'
import { statePassword } from '../../engine/worker/grant.ts'
import { standIn } from '../../lib/testing/stand-in.ts'
import { patchRepository } from '../../store/changes/repositories.ts'
import { openKeys } from '../../store/database/keys.ts'
import { claimRun } from '../../store/runs/claim.ts'
import { createRun, type Run, transitionRun } from '../../store/runs/runs.ts'
import { upsertStack } from '../../store/stacks/stacks.ts'
import { startTestServer, type TestServer } from './app.ts'

/** A machine that is slow takes no lease away: those of tests end when a test ends them. */
const LEASE_MS = 60 * 60_000

/** Someone who may write states. */
export const alice: StateActor = { runId: null, userId: 'usr_alice', label: 'alice', write: true }

export const runActor = ({ id, fence }: Run): StateActor => ({
  runId: id,
  userId: null,
  label: id,
  write: true,
  fence,
})

/** A server for each test, with a stack whose state it keeps: `production/network` of the repository `infra`. */
export function useStateServer() {
  let running: TestServer | undefined
  let keeping: TerraformStates | undefined
  const ids = { stackId: '', repositoryId: '' }
  const hashKey = randomBytes(32)
  const server = standIn(() => running)
  const url = (workspace: string) => `${server.url}/api/v1/state/${ids.stackId}/${workspace}`
  const credentials = (run: Run): [user: string, password: string] => [run.id, statePassword(hashKey, run)]

  beforeEach(async () => {
    running = await startTestServer()
    const keys = await openKeys(server.dataDir, server.store.db)
    keeping = makeTerraformStates({ store: server.store, keys })
    const { id: repositoryId } = await server.repository('infra')
    const hashKeySealed = keys.seal(hashKey, hashKeyContext(repositoryId))
    await patchRepository(server.store.db, repositoryId, { hashKeySealed })
    const place = { repositoryId, environment: 'production', name: 'network', path: 'network' }
    const stack = { ...place, driver: 'terraform', config: {} as never }
    const { id: stackId } = await server.store.transaction((tx) => upsertStack(tx, stack))
    Object.assign(ids, { stackId, repositoryId })
  })
  afterEach(() => running?.close())

  return {
    server,
    states: standIn(() => keeping),
    /** Of the stack and its repository. */
    ids,
    /** The state of a workspace of the stack. */
    key: (workspace = 'default') => ({ stackId: ids.stackId, workspace }),
    /** Where the tool finds the state of a workspace. */
    url,
    credentials,
    /** How a run's tool reaches the states of the stack. */
    backend: (run: Run) => {
      const [username, password] = credentials(run)
      return { address: `${server.url}/api/v1/state/${ids.stackId}`, username, password }
    },
    /** A run of the stack that a worker holds. */
    leaseRun: (kind: RunKind): Promise<Run> => {
      const { store } = server
      return store.transaction(async (tx) => {
        await createRun(tx, { ...ids, kind, commitOid: 'c', desiredDigest: 'd', spec: {}, actor: 'system' })
        const claim = { workerId: 'worker-1', pools: ['default'], leaseMs: LEASE_MS, now: store.clock.now() }
        const run = await claimRun(tx, { ...claim, request: `${Math.random()}` })
        if (run === null) throw new Error('no run was ready')
        return run
      })
    },
    endRun: async ({ id: runId, fence }: Run): Promise<void> => {
      await server.store.transaction((tx) =>
        transitionRun(tx, { runId, fence, to: 'failed', reason: 'test', actor: 'system' }),
      )
    },
    /** Asks for the default workspace's state, as a tool would. */
    request: async (
      method: string,
      basic: [user: string, password: string] | null,
      body?: object,
      query = '',
      headers: { [name: string]: string } = {},
    ): Promise<{ status: number; body: string }> => {
      const response = await fetch(url('default') + query, {
        method,
        headers: {
          ...(basic && { authorization: `Basic ${Buffer.from(basic.join(':')).toString('base64')}` }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.text() }
    },
  }
}
