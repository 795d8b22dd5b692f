import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { certify, makeAuthority } from '../../src/worker/connection/testing/certificates.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'

const SHIPPED = join(import.meta.dirname, '../../deploy/nginx/trueup.conf')

export interface Proxy {
  url: string
  /** Its address without TLS. */
  plain: string
  /** File of the authority that signed its certificate. */
  authority: string
  stop(): Promise<void>
}

/** The shipped configuration with this machine's addresses and certificate in it, and nothing else changed. */
export async function startNginx(program: string, directory: string, port: number, server: string): Promise<Proxy> {
  await mkdir(directory, { recursive: true })
  const authority = makeAuthority(directory, 'authority')
  const own = certify(directory, authority, 'proxy', '127.0.0.1')
  const plain = await freePort()
  const replaced: [string, string][] = [
    ['127.0.0.1:7420', new URL(server).host],
    ['listen 80;', `listen 127.0.0.1:${plain};`],
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
    ['/etc/nginx/tls/trueup.pem', own.cert],
    ['/etc/nginx/tls/trueup.key', own.key],
    ['server_name trueup.example.org', 'server_name 127.0.0.1'],
  ]
  let site = await readFile(SHIPPED, 'utf8')
  for (const [from, to] of replaced) {
    if (!site.includes(from)) throw new Error(`${SHIPPED} has no "${from}"`)
    site = site.replaceAll(from, to)
  }
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  )
  const main = `daemon off; worker_processes 1; pid ${directory}/pid; error_log stderr warn;
events { worker_connections 256; }
http { access_log off; ${bodies.join(' ')}
${site} }`
  const file = join(directory, 'nginx.conf')
  await writeFile(file, main)
  const nginx = spawn(program, ['-p', directory, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  await reachable(nginx, port)
  return {
    url: `https://127.0.0.1:${port}`,
    plain: `http://127.0.0.1:${plain}`,
    authority: authority.cert,
    async stop() {
      if (nginx.exitCode !== null) return
      const gone = new Promise((resolve) => nginx.once('exit', resolve))
      nginx.kill('SIGTERM')
      await gone
    },
  }
}

async function reachable(nginx: ChildProcess, port: number): Promise<void> {
  let said = ''
  nginx.stderr?.on('data', (part: Buffer) => (said += part.toString()))
  for (let left = 600; left > 0; left--) {
    if (nginx.exitCode !== null) throw new Error(`nginx ended: ${said}`)
    const there = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (there) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`nginx does not listen: ${said}`)
}
