import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { PackAddress, WORKER_PATHS } from '../../domain/wire/worker-protocol.ts'
import { packAddress, packNamed } from '../../engine/worker/pack-address.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RouteModule } from '../parts.ts'

const commitId = z.string().regex(/^[0-9a-f]{40,64}$/, 'a full commit id')
const params = z.object({ stackId: z.string().max(100), commit: commitId })
const querystring = z.strictObject({ have: commitId.optional() })

/** Packs of desired states: for workers that prove themselves, and for caches under addresses that nobody can guess. */
export const packRoutes: RouteModule<'engine'> = (app, { engine }) => {
  app.get(
    '/api/v1/worker/stacks/:stackId/packs/:commit',
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary:
          'A Git pack of what says how a stack should be at a commit; with `have` only what is not in that commit. It never changes',
        params,
        querystring,
      },
    },
    async (request, reply) => {
      const { stackId, commit } = request.params
      const { have } = request.query
      const file = await engine.worker.packFile(request.workerId!, { stackId, commit, ...(have && { have }) })
      return send(request, reply, { file, scope: 'private' })
    },
  )

  app.get(
    '/api/v1/worker/stacks/:stackId/packs/:commit/address',
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary: 'Where the same pack is to be had without a proof, from here or from a cache in front',
        params,
        querystring,
        response: { 200: PackAddress },
      },
    },
    async (request) => {
      const { stackId, commit } = request.params
      const { have } = request.query
      const file = await engine.worker.packFile(request.workerId!, { stackId, commit, ...(have && { have }) })
      return { path: WORKER_PATHS.cachedPack(packAddress(engine.parts.keys, basename(file, '.pack'))) }
    },
  )

  app.get(
    '/api/v1/packs/:address',
    {
      config: { action: 'public' },
      schema: {
        tags: ['worker'],
        summary: 'A Git pack by the address that a worker was told. It never changes, and any cache may keep it',
        security: [],
        params: z.object({ address: z.string().max(400) }),
      },
    },
    async (request, reply) => {
      const name = packNamed(engine.parts.keys, request.params.address)
      const file = name === null ? null : join(engine.parts.packs, `${name}.pack`)
      if (file === null || !(await isThere(file)))
        throw new TrueupError('NOT_FOUND', {
          doing: 'giving a pack by its address',
          why: 'there is none, or it is not kept any more',
          next: 'A worker asks for it by its stack and commit.',
        })
      return send(request, reply, { file, scope: 'public' })
    },
  )
}

const isThere = async (file: string): Promise<boolean> =>
  await stat(file).then(
    () => true,
    () => false,
  )

/** It is named by what it holds: who has it, has it for good. */
function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, scope }: { file: string; scope: 'public' | 'private' },
): FastifyReply {
  const etag = `"${basename(file, '.pack')}"`
  void reply.header('etag', etag).header('cache-control', `${scope}, max-age=31536000, immutable`)
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type('application/x-git-packed-objects').send(createReadStream(file))
}
