import { z } from 'zod'
import { explainCommit } from '../../engine/signatures/explain.ts'
import { repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { SignedCommit } from '../schemas/signatures.ts'

/** Who signed a commit, and what that is worth where. */
export const signatureRoutes: RouteModule<'engine'> = (app, { engine: { parts } }) => {
  app.get(
    '/api/v1/repositories/:repository/commits/:commit/signature',
    {
      config: { action: 'repository.read' },
      schema: {
        tags: ['repositories'],
        summary: 'Who signed a commit, and whether environments accept it',
        params: InRepository.extend({ commit: z.string().min(4).max(250) }),
        response: { 200: SignedCommit },
      },
    },
    async (request): Promise<SignedCommit> =>
      await explainCommit(parts, repositoryOf(request).id, request.params.commit),
  )
}
