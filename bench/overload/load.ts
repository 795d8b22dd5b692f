import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What clients are to ask, and how often. */
export interface Load {
  url: string
  /** One for each person. */
  tokens: string[]
  paths: string[]
  perSecond: number
  seconds: number
  /** How long each waits for its answer. */
  patienceMs: number
}

/** What became of the requests; `milliseconds` of the useful ones. */
export interface LoadReport {
  sent: number
  /** Answered with what was asked for, in time. */
  useful: number
  /** 429 or 503. */
  refused: number
  /** Given up. */
  late: number
  /** Any other answer, or a connection that broke. */
  failed: number
  milliseconds: number[]
  connections: number
  /** How long after its time a request was sent, at most: the clients' own slowness, which is not the server's. */
  lagMs: number
}

const CLIENTS = fileURLToPath(new URL('./contestant.ts', import.meta.url))

/** Puts a load on a server from a process of its own. */
export async function putLoad(load: Load): Promise<LoadReport> {
  const child = spawn(process.execPath, [CLIENTS], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(load))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new Error(`the clients ended with ${code}`)
  return JSON.parse(output) as LoadReport
}
