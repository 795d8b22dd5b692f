import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Client, createClient } from '../src/cli/client.ts'
import { baseEnvironment } from './harness.ts'
import { treeCpuSeconds } from './process-cpu.ts'

/** Long, since the machine may have much else to do. */
const START_MS = 300_000

/** A whole Trueup in a process of its own, as `trueup up` starts it: server, git process and built-in runner. */
export interface BenchServer {
  url: string
  pid: number
  adminToken: string
  admin: Client
  /** So far, of the server and everything below it. */
  cpuSeconds(): number
  /** Each change of a merge request, as the server tells it to a browser. */
  onMrChange(listener: () => void): Promise<() => void>
  stop(): Promise<void>
}

/** `directory` gets data and workspaces; `path` is put before PATH, for tools. */
export async function startBenchServer(directory: string, path: string, port = '0'): Promise<BenchServer> {
  const data = join(directory, 'data')
  const workDir = join(directory, 'work')
  mkdirSync(workDir, { recursive: true })
  const cli = new URL('../src/cli/main.ts', import.meta.url).pathname
  const environment = baseEnvironment()
  const child = spawn(process.execPath, [cli, 'up', '--data', data, '--port', port, '--work-dir', workDir], {
    env: { ...environment, PATH: `${path}:${environment.PATH}` },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = await addressOf(child, join(data, 'server.json')).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const adminToken = readFileSync(join(data, 'admin.token'), 'utf8').trim()
  return {
    url,
    pid: child.pid!,
    adminToken,
    admin: createClient({ url, token: adminToken, source: 'environment' }),
    cpuSeconds: () => treeCpuSeconds(child.pid ?? 0),
    onMrChange: (listener) => followMergeRequests(url, adminToken, listener),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function addressOf(child: ChildProcess, file: string): Promise<string> {
  for (const until = Date.now() + START_MS; Date.now() < until; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`trueup up ended with ${child.exitCode}`)
    if (existsSync(file)) return z.object({ url: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).url
  }
  throw new Error(`trueup up was not ready after ${START_MS / 1000} s`)
}

async function followMergeRequests(url: string, token: string, listener: () => void): Promise<() => void> {
  const over = new AbortController()
  const response = await fetch(`${url}/api/v1/events?topics=mr`, {
    headers: { authorization: `Bearer ${token}` },
    signal: over.signal,
  })
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) if (decoder.decode(chunk).includes('data:')) listener()
  }
  read().catch((error: unknown) => {
    if (!over.signal.aborted) throw error
  })
  return () => over.abort()
}
