import type { z } from 'zod'
import { VERSION } from '../../lib/version.ts'
import type { RouteModule } from '../parts.ts'
import { ServerInfo } from '../schemas/operations.ts'

export const serverInfoRoutes: RouteModule<'publicUrl' | 'startedAt' | 'metrics' | 'engine'> = (app, parts) => {
  app.get(
    '/api/v1/server',
    {
      config: { action: 'server.read' },
      schema: { tags: ['server'], summary: 'This server', response: { 200: ServerInfo } },
    },
    async (): Promise<z.infer<typeof ServerInfo>> => ({
      version: VERSION,
      url: parts.publicUrl(),
      startedAt: parts.startedAt,
      signingKey: parts.engine.parts.signingKey?.publicKey ?? null,
      workersConnected: (await parts.metrics.workersConnected.get()).values[0]?.value ?? 0,
    }),
  )
}
