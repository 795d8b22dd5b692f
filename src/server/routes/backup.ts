import { appendAudit } from '../../store/audit/audit.ts'
import type { RouteModule } from '../parts.ts'
import { by } from './users.ts'

/** A backup of the running server, streamed to the caller. */
export const backupRoutes: RouteModule<'store' | 'backup'> = (app, { store, backup }) => {
  app.post(
    '/api/v1/server/backup',
    {
      config: { action: 'server.backup' },
      schema: {
        tags: ['server'],
        summary: 'A consistent copy of the whole data directory as a tar; it holds all keys',
      },
    },
    async (request, reply) => {
      const { stream, bytes, files, damaged } = await backup()
      const data = { bytes, files, damaged: damaged.map(({ repository }) => repository) }
      await store.transaction((tx) =>
        appendAudit(tx, { ...by(request), action: 'server.backup', subject: 'server', data }),
      )
      return reply
        .type('application/x-tar')
        .header('content-disposition', 'attachment; filename="trueup-backup.tar"')
        .send(stream)
    },
  )
}
