import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a team puts before its server: TLS by an authority of its own, and nothing but the issuer's two documents. */
export interface TlsIssuer {
  url: string
  caFile: string
  /** Whose documents it hands on, from now on. */
  before(server: string): void
  stop(): Promise<void>
}

export async function startTlsIssuer(): Promise<TlsIssuer> {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-issuer-'))
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-subj', '/CN=team-ca', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '30')
  openssl('req', ...key, '-subj', '/CN=issuer', '-keyout', 'server.key', '-out', 'server.csr')
  writeFileSync(join(directory, 'names'), 'subjectAltName=IP:127.0.0.1\n')
  const sign = ['x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
  openssl(...sign, '-out', 'server.crt', '-days', '30', '-extfile', 'names')
  let behind = ''
  const server = createServer(
    { key: readFileSync(join(directory, 'server.key')), cert: readFileSync(join(directory, 'server.crt')) },
    (request, response) => {
      const path = request.url ?? ''
      if (behind === '' || !path.startsWith('/.well-known/')) return void response.writeHead(404).end()
      fetch(`${behind}${path}`)
        .then(async (answer) => {
          const type = answer.headers.get('content-type') ?? 'text/plain'
          response.writeHead(answer.status, { 'content-type': type }).end(await answer.text())
        })
        .catch(() => response.writeHead(502).end())
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caFile: join(directory, 'ca.crt'),
    before: (address) => void (behind = address),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
