import { z } from 'zod'
import { stateDifferences } from '../../engine/state-backend/diff.ts'
import { objectsOfState } from '../../engine/state-backend/objects.ts'
import { makeTerraformStates, type StateActor, type StateKey } from '../../engine/state-backend/state-backend.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { Done, InRepository } from '../schemas/common.ts'
import {
  StateDiff,
  StateDiffQuery,
  StateInfo,
  StateObjects,
  StateQuery,
  StateRestore,
  StateUnlock,
} from '../schemas/states.ts'
import { nameOf } from './user-name.ts'
import { stackOf } from './stack-view.ts'

const PATH = '/api/v1/repositories/:repository/state'
type Request = Parameters<typeof repositoryOf>[0]

/** Terraform states for people: versions, who holds the lock, going back, and opening a lock that nobody will. */
export const stateRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const states = makeTerraformStates(parts)
  const tags = ['state']

  const keyOf = async (request: Request, query: { stack: string; workspace: string }): Promise<StateKey> => ({
    stackId: (await stackOf(parts, repositoryOf(request), query.stack)).id,
    workspace: query.workspace,
  })
  const actorOf = (request: Request): StateActor => {
    const { userId, name } = principalOf(request)
    return { runId: null, userId, label: name, write: true }
  }

  app.get(
    PATH,
    {
      config: { action: 'state.read' },
      schema: {
        tags,
        summary: 'Versions of a state, and who holds its lock',
        params: InRepository,
        querystring: StateQuery,
        response: { 200: StateInfo },
      },
    },
    async (request) => {
      const key = await keyOf(request, request.query)
      const { items } = await states.versions(key, { limit: 100 })
      const versions = items.map(async ({ version, serial, lineage, md5, runId, actorId, createdAt }) => ({
        version,
        serial,
        lineage,
        md5,
        run: runId,
        actor: actorId === null ? null : await nameOf(parts, actorId),
        createdAt,
      }))
      const lock = (await states.lockHolder(key)) as JsonObject | null
      return { stack: request.query.stack, workspace: key.workspace, lock, versions: await Promise.all(versions) }
    },
  )

  app.get(
    `${PATH}/objects`,
    {
      config: { action: 'state.read' },
      schema: {
        tags,
        summary: 'Addresses of the objects in a state, without their values',
        params: InRepository,
        querystring: StateQuery,
        response: { 200: StateObjects },
      },
    },
    async (request) => {
      const key = await keyOf(request, request.query)
      const current = await states.read(key)
      const { id: repositoryId } = repositoryOf(request)
      await parts.store.transaction((tx) =>
        appendAudit(tx, {
          actor: `user:${principalOf(request).userId}`,
          action: 'state.list',
          subject: key.stackId,
          repositoryId,
          data: { workspace: key.workspace, version: current?.version ?? null },
        }),
      )
      return {
        stack: request.query.stack,
        workspace: key.workspace,
        version: current?.version ?? null,
        objects: current === null ? [] : objectsOfState(current.body),
      }
    },
  )

  app.get(
    `${PATH}/diff`,
    {
      config: { action: 'state.read' },
      schema: {
        tags,
        summary: 'What differs between two versions of a state, without values',
        params: InRepository,
        querystring: StateDiffQuery,
        response: { 200: StateDiff },
      },
    },
    async (request) => {
      const { stack, from, to } = request.query
      const key = await keyOf(request, request.query)
      const doing = `comparing versions of the state "${key.workspace}" of ${stack}`
      const version = async (wanted: number | undefined) => {
        const found = await states.read(key, wanted)
        if (found !== null) return found
        const why = wanted === undefined ? 'Trueup keeps no such state' : `there is no version ${wanted}`
        throw new TrueupError('NOT_FOUND', { doing, why, next: '`trueup state show` lists the versions.' })
      }
      const later = await version(to)
      const earlier = await version(from ?? later.version - 1)
      const differences = stateDifferences(earlier.body, later.body)
      const data = { workspace: key.workspace, from: earlier.version, to: later.version }
      const { id: repositoryId } = repositoryOf(request)
      const actor = `user:${principalOf(request).userId}`
      await parts.store.transaction((tx) =>
        appendAudit(tx, { actor, action: 'state.diff', subject: key.stackId, repositoryId, data }),
      )
      return { stack, ...data, differences }
    },
  )

  app.post(
    `${PATH}/restore`,
    {
      config: { action: 'state.write' },
      schema: {
        tags,
        summary: 'Make an earlier version the current one again, as a new version',
        params: InRepository,
        body: StateRestore,
        response: { 200: z.object({ version: z.number(), serial: z.number() }) },
      },
    },
    async (request) => states.restore(actorOf(request), await keyOf(request, request.body), request.body.version),
  )

  app.post(
    `${PATH}/unlock`,
    {
      config: { action: 'state.unlock' },
      schema: {
        tags,
        summary: 'Open a lock by force',
        params: InRepository,
        body: StateUnlock,
        response: { 200: Done },
      },
    },
    async (request) => {
      const key = await keyOf(request, request.body)
      const holder = await states.lockHolder(key)
      if (holder?.ID !== request.body.lockId) {
        const why =
          holder === null
            ? 'it is not locked'
            : `it is locked by ${wordOf(holder.holder ?? holder.ID)} under another lock, ${wordOf(holder.ID)}`
        throw new TrueupError('CONFLICT', { doing: `unlocking the state of ${request.body.stack}`, why })
      }
      await states.unlock(actorOf(request), key, null)
      const { userId } = principalOf(request)
      const repositoryId = repositoryOf(request).id
      const data = { workspace: key.workspace, reason: request.body.reason }
      await parts.store.transaction((tx) =>
        appendAudit(tx, {
          actor: `user:${userId}`,
          action: 'state.unlock-reason',
          subject: key.stackId,
          repositoryId,
          data,
        }),
      )
      return { ok: true as const }
    },
  )
}

/** Lock infos are what a client sent: members are texts for well-behaved ones only. */
const wordOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
