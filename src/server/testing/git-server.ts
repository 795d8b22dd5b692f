import { mkdtemp } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { listPushes, newPushFile, readPush } from '../../git/push-file.ts'
import type { PushUpdate } from '../../git/push-request.ts'
import type { GitRepository } from '../../git/repository.ts'
import { startGitFixture, userGitOk, writeFiles, type GitFixture } from '../../git/testing/fixture.ts'
import { standIn } from '../../lib/testing/stand-in.ts'
import { handleGitHttp, type GitHttpResult } from '../git-http.ts'

/** What the server grants unless a test says otherwise. */
export const usualGrant = () => ({
  user: { id: 'usr_ada', name: 'Ada\nupdate forged' },
  protectedRefs: ['refs/heads/main', 'refs/heads/release/1'],
  allowBootstrap: true,
  openMergeRequests: [] as { branch: string; number: number }[],
  maxPushBytes: 200 * 1024 * 1024,
  idleMs: 120_000,
  beforePush: async (_updates: readonly PushUpdate[]): Promise<void> => {},
})

/** Git over HTTP on a git service of its own, for all tests of a file. */
export function useGitServer() {
  let running: GitFixture | undefined
  let server: Server
  const fixture = standIn(() => running)
  const grant = usualGrant()
  const results: GitHttpResult[] = []
  const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`

  beforeAll(async () => {
    running = await startGitFixture()
    server = createServer((request, response) => {
      const [, repositoryId = '', path = ''] = /^\/([^/]+)(\/[^?]*)/.exec(request.url ?? '') ?? []
      const { user, protectedRefs, allowBootstrap, openMergeRequests, maxPushBytes, idleMs } = grant
      void handleGitHttp(request, response, {
        service: fixture.service,
        repositoryId,
        user,
        path,
        pushFile: newPushFile(fixture.spool),
        protectedRefs,
        allowBootstrap,
        openMergeRequests,
        beforePush: ({ updates }) => grant.beforePush(updates),
        limits: { maxPushBytes, idleMs },
      }).then((result) => results.push(result))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => void Object.assign(grant, usualGrant()))
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await fixture.close()
  })

  return {
    fixture,
    /** What the server grants at the moment; it is the usual again after each test. */
    grant,
    /** What came of each request that is over, in order. */
    results,
    url,
    /** A new repository with one commit on main, and a clone of it by HTTP. */
    cloned: async (id: string): Promise<{ own: GitRepository; clone: string; url: string }> => {
      const own = fixture.service.repository(id)
      await own.init('main')
      const clone = await mkdtemp(join(fixture.directory, `${id}-`))
      await userGitOk(clone, 'init', '-q', '-b', 'main', '.')
      await userGitOk(clone, 'remote', 'add', 'origin', url(id))
      await commitAll(clone, { 'README.md': 'hello\n' })
      await userGitOk(clone, 'push', '-q', 'origin', 'main')
      return { own, clone, url: url(id) }
    },
    /** The last push that the server recorded. */
    lastPush: async () => {
      const file = (await listPushes(fixture.spool)).made.at(-1)
      return file ? await readPush(file) : null
    },
  }
}

/** Writes files into a clone, commits all that is there and says which commit that is. */
export async function commitAll(clone: string, files: { [path: string]: string | Buffer }): Promise<string> {
  await writeFiles(clone, files)
  await userGitOk(clone, 'add', '-A')
  await userGitOk(clone, 'commit', '-qm', 'change')
  return (await userGitOk(clone, 'rev-parse', 'HEAD')).trim()
}

/** A pkt-line (gitprotocol-common): four hex digits of its length, then the text. */
export const pktLine = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text
