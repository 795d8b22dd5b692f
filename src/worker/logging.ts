import { pino } from 'pino'
import type { Logger } from '../lib/log.ts'
import { type RecentLines, recentLines } from './recent-lines.ts'

export type { Logger } from '../lib/log.ts'

/** A worker's own log, and what of it can be asked for. */
export interface OwnLog {
  log: Logger
  recent: RecentLines
}

/** JSON lines on standard error. What tools print goes to the run's log and never here. */
export function createLogger(level: string = process.env.TRUEUP_LOG_LEVEL ?? 'info'): OwnLog {
  const stderr = pino.destination({ fd: 2, sync: true })
  const recent = recentLines()
  const both = {
    write(line: string): void {
      stderr.write(line)
      recent.add(line)
    },
  }
  return { log: pino({ name: 'trueup-runner', level, base: { pid: process.pid } }, both), recent }
}
