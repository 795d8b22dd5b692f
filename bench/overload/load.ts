import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
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
  failed: number
  milliseconds: number[]
}

const CLIENTS = fileURLToPath(new URL('./contestant.ts', import.meta.url))

/** Puts a load on a server from a process of its own. */
export async function putLoad(load: Load): Promise<LoadReport> {
  const argv = ['--disable-warning=ExperimentalWarning', CLIENTS, JSON.stringify(load)]
  const { stdout } = await promisify(execFile)(process.execPath, argv, { maxBuffer: 256 * 1024 * 1024 })
  return JSON.parse(stdout) as LoadReport
}
