import { pino } from 'pino'
import type { Logger } from '../lib/log.ts'

export type { Logger } from '../lib/log.ts'

/** The runner's own log: JSON lines on standard error. What tools print goes to the run's log and never here. */
export function createLogger(level: string = process.env.TRUEUP_LOG_LEVEL ?? 'info'): Logger {
  return pino({ name: 'trueup-runner', level, base: { pid: process.pid } }, pino.destination({ fd: 2, sync: true }))
}
