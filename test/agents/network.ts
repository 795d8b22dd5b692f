import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { findTool } from '../tools.ts'

/** A network of two: this machine, and a namespace that knows no way but to it. */
export interface Network {
  /** This machine's address in it. */
  host: string
  guest: string
  /** Words before a command that is to run inside. */
  inside: string[]
  /** What listens inside, as `ss` tells it: addresses with ports. */
  listening(): string[]
  /** The ways out of it. */
  routes(): string[]
  /** The error that a connection from this machine to a port inside gets, or `connected`. */
  knock(port: number): Promise<string | undefined>
  /** Puts services of this machine's loopback beside what runs inside, at the same ports of its own loopback. */
  bring(ports: readonly number[]): Promise<void>
  cut(): void
  mend(): void
  close(): void
}

const ip = (...argv: string[]) => execFileSync(findTool('ip')!.path, argv, { stdio: ['ignore', 'pipe', 'pipe'] })

/** Why there can be none here, or null where there can. */
export function noNetwork(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux'
  if (findTool('ip') === null) return 'network namespaces need ip (apt-get install iproute2)'
  try {
    ip('netns', 'add', `tua-probe-${process.pid}`)
    ip('netns', 'delete', `tua-probe-${process.pid}`)
    return null
  } catch {
    return 'no network namespace can be made here'
  }
}

/** `describe` for tests in namespaces. Where there are none it is skipped, and the suite's name says why. */
export function describeWithNetwork(title: string, suite: () => void): void {
  const why = noNetwork()
  const forbidden = (process.env.TRUEUP_TEST_FORBID_SKIPS ?? '').split(',').includes('hosts')
  if (why === null || forbidden) describe(`${title} (network namespaces)`, suite)
  else describe.skip(`${title} (skipped: ${why})`, suite)
}

export function makeNetwork(): Network {
  const number = process.pid % 250
  const [name, near, far] = [`tua-${process.pid}`, `tua${process.pid}a`, `tua${process.pid}b`]
  const [host, guest] = [`10.98.${number}.1`, `10.98.${number}.2`]
  ip('netns', 'add', name)
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name)
  ip('address', 'add', `${host}/30`, 'dev', near)
  ip('link', 'set', near, 'up')
  ip('-n', name, 'address', 'add', `${guest}/30`, 'dev', far)
  ip('-n', name, 'link', 'set', far, 'up')
  ip('-n', name, 'link', 'set', 'lo', 'up')
  const inside = [findTool('ip')!.path, 'netns', 'exec', name]
  const lines = (...argv: string[]): string[] =>
    execFileSync(inside[0]!, [...inside.slice(1), ...argv], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.trim() !== '')
  const ends: (() => void)[] = []
  return {
    host,
    guest,
    inside,
    listening: () => lines('ss', '-Htln').map((line) => line.trim().split(/\s+/)[3]!),
    routes: () => lines('ip', 'route'),
    knock: (port) =>
      new Promise((resolve) => {
        const socket = connect(port, guest, () => socket.destroy()).on('error', (error: NodeJS.ErrnoException) =>
          resolve(error.code),
        )
        socket.on('close', () => resolve('connected'))
      }),
    async bring(ports) {
      const directory = mkdtempSync(join(tmpdir(), 'trueup-beside-'))
      const sockets = ports.map((port) => ({ port, file: join(directory, String(port)) }))
      for (const { port, file } of sockets) {
        const server = createServer((socket) => {
          const service = connect(port, '127.0.0.1')
          socket.pipe(service).pipe(socket)
          socket.on('error', () => service.destroy())
          service.on('error', () => socket.destroy())
        })
        server.listen(file)
        await once(server, 'listening')
        ends.push(() => server.close())
      }
      const program = join(import.meta.dirname, 'beside.ts')
      const named = sockets.map(({ port, file }) => `${port}=${file}`)
      const argv = [...inside.slice(1), process.execPath, program, ...named]
      const child = spawn(inside[0]!, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
      ends.push(() => {
        child.kill()
        rmSync(directory, { recursive: true, force: true })
      })
      await once(child.stdout, 'data')
    },
    cut: () => void ip('link', 'set', near, 'down'),
    mend: () => void ip('link', 'set', near, 'up'),
    // The pair of interfaces goes with the namespace that holds one of them.
    close() {
      for (const end of ends) end()
      ip('netns', 'delete', name)
    },
  }
}
