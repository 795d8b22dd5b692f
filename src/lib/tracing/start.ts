import type { Logger } from '../log.ts'
import { sampledPart, signalSettings } from './settings.ts'
import { noTracing, type Tracing } from './span.ts'

/**
 * Tracing as the environment asks for it (`OTEL_*`). What it takes is loaded only where somebody wants it.
 * @throws INVALID_REQUEST of settings that cannot be followed
 */
export async function startTracing(
  service: string,
  log: Logger,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Tracing> {
  const settings = signalSettings('TRACES', env)
  const part = sampledPart(env)
  if (settings === null || part === 0) return noTracing
  const [{ exportSpans }, { tellTrouble }] = await Promise.all([import('./export.ts'), import('./sending.ts')])
  tellTrouble(log)
  return exportSpans(service, settings, part)
}
