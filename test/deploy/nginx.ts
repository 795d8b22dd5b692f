import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { certify, makeAuthority } from '../../src/worker/connection/testing/certificates.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'

const SHIPPED = join(import.meta.dirname, '../../deploy/nginx')

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
  const stop = await serve(program, directory, port, {
    shipped: 'trueup.conf',
    replaced: [
      ['127.0.0.1:7420', new URL(server).host],
      ['listen 80;', `listen 127.0.0.1:${plain};`],
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['/etc/nginx/tls/trueup.pem', own.cert],
      ['/etc/nginx/tls/trueup.key', own.key],
      ['server_name trueup.example.org', 'server_name 127.0.0.1'],
    ],
  })
  return { url: `https://127.0.0.1:${port}`, plain: `http://127.0.0.1:${plain}`, authority: authority.cert, stop }
}

/** The shipped cache of packs, with its files below `directory/packs`. */
export async function startPackCache(
  program: string,
  directory: string,
  server: string,
): Promise<{ url: string; files: string; stop(): Promise<void> }> {
  await mkdir(directory, { recursive: true })
  const port = await freePort()
  const files = join(directory, 'packs')
  const stop = await serve(program, directory, port, {
    shipped: 'trueup-packs.conf',
    replaced: [
      ['127.0.0.1:7420', new URL(server).host],
      ['listen 7425;', `listen 127.0.0.1:${port};`],
      ['/var/cache/nginx/trueup-packs', files],
    ],
  })
  return { url: `http://127.0.0.1:${port}`, files, stop }
}

interface Site {
  /** File in `deploy/nginx`. */
  shipped: string
  replaced: readonly [string, string][]
}

/** Answers with what ends it. */
async function serve(
  program: string,
  directory: string,
  port: number,
  { shipped, replaced }: Site,
): Promise<() => Promise<void>> {
  let site = await readFile(join(SHIPPED, shipped), 'utf8')
  for (const [from, to] of replaced) {
    if (!site.includes(from)) throw new Error(`${shipped} has no "${from}"`)
    site = site.replaceAll(from, to)
  }
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  )
  // Started by root, nginx would give its processes to somebody who may not come into a directory of tests.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const main = `daemon off; ${user} worker_processes 1; pid ${directory}/pid; error_log stderr warn;
events { worker_connections 256; }
http { access_log off; ${bodies.join(' ')}
${site} }`
  const file = join(directory, 'nginx.conf')
  await writeFile(file, main)
  const nginx = spawn(program, ['-p', directory, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  await reachable(nginx, port)
  return async () => {
    if (nginx.exitCode !== null) return
    const gone = new Promise((resolve) => nginx.once('exit', resolve))
    nginx.kill('SIGTERM')
    await gone
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
