import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A Galaxy of one collection, `acme.tools` 1.2.0 with a role `hello`: the parts of API v3 that an installation reads. */
export interface GalaxyServer {
  url: string
  /** Paths that were asked for. */
  requests: string[]
  close(): Promise<void>
}

export async function startGalaxy(): Promise<GalaxyServer> {
  const tarball = buildCollection()
  const requests: string[] = []
  const version = 'acme/tools/versions/1.2.0'
  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pages: { [path: string]: () => unknown } = {
    '/api/': () => ({ available_versions: { v3: 'v3/' }, current_version: 'v3' }),
    '/api/v3/collections/acme/tools/': () => ({
      namespace: 'acme',
      name: 'tools',
      highest_version: { version: '1.2.0', href: `/api/v3/collections/${version}/` },
      versions_url: '/api/v3/collections/acme/tools/versions/',
      href: '/api/v3/collections/acme/tools/',
      deprecated: false,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
    }),
    '/api/v3/collections/acme/tools/versions/': () => ({
      meta: { count: 1 },
      links: { first: null, previous: null, next: null, last: null },
      data: [{ version: '1.2.0', href: `/api/v3/collections/${version}/` }],
    }),
    [`/api/v3/collections/${version}/`]: () => ({
      version: '1.2.0',
      href: `/api/v3/collections/${version}/`,
      namespace: { name: 'acme' },
      name: 'tools',
      collection: { name: 'tools', href: '/api/v3/collections/acme/tools/' },
      download_url: `${base()}/artifacts/acme-tools-1.2.0.tar.gz`,
      artifact: {
        filename: 'acme-tools-1.2.0.tar.gz',
        sha256: createHash('sha256').update(tarball).digest('hex'),
        size: tarball.length,
      },
      metadata: { dependencies: {} },
      signatures: [],
      manifest: {},
      git_url: null,
      git_commit_sha: null,
    }),
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    requests.push(path)
    if (path === '/artifacts/acme-tools-1.2.0.tar.gz') return void response.end(tarball)
    const page = pages[path] ?? pages[`${path}/`]
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(page === undefined ? { detail: 'Not found.' } : page()))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `${base()}/api/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** By the tool itself, so that the manifest is a real one. */
function buildCollection(): Buffer {
  const root = mkdtempSync(join(tmpdir(), 'trueup-galaxy-'))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  try {
    write('galaxy.yml', 'namespace: acme\nname: tools\nversion: 1.2.0\nauthors: [Acme]\nreadme: README.md\n')
    write('README.md', '# Tools\n')
    write('roles/hello/tasks/main.yml', '- copy: { content: hello, dest: /nonexistent/hello }\n')
    execFileSync('ansible-galaxy', ['collection', 'build', '--output-path', root, root], {
      stdio: 'ignore',
      env: { ...process.env, LC_ALL: 'C.UTF-8', ANSIBLE_HOME: join(root, '.ansible') },
    })
    return readFileSync(join(root, 'acme-tools-1.2.0.tar.gz'))
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
