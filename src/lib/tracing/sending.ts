import { diag, DiagLogLevel } from '@opentelemetry/api'
import type { Logger } from '../log.ts'

/** What is left at the end waits no longer than this for a collector, in milliseconds. */
const CLOSE_MS = 5_000

/** Writes into our log what OpenTelemetry's exporters have to complain of, such as a collector that is not there; it is told nowhere else. */
export function tellTrouble(log: Logger): void {
  const warn = (why: string): void => log.warn({ why: why.slice(0, 500) }, 'telemetry could not be sent')
  const nothing = (): void => {}
  const logger = { error: warn, warn, info: nothing, debug: nothing, verbose: nothing }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
}

/** Sends what is left, for a limited time. */
export async function closeSoon(shutdown: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)))
  await Promise.race([shutdown(), late]).finally(() => clearTimeout(timer))
}
