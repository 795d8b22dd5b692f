import { afterAll, beforeAll } from 'vitest'
import { standIn } from '../../lib/testing/stand-in.ts'
import { type Person, startTestServer, type TestServer } from './app.ts'

/** One server for all tests of a file, and `root`, who may do everything on it. */
export function useServer(options: Parameters<typeof startTestServer>[0] = {}): { server: TestServer; admin: Person } {
  let server: TestServer | undefined
  let admin: Person | undefined
  beforeAll(async () => {
    server = await startTestServer(options)
    admin = await server.person('root', { kind: 'admin' })
  })
  afterAll(() => server?.close())
  return { server: standIn(() => server), admin: standIn(() => admin) }
}
