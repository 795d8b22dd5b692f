import { sampledPart, signalSettings } from './settings.ts'
import { noTracing, type Tracing } from './span.ts'

/**
 * Tracing as the environment asks for it (`OTEL_*`). What it takes is loaded only where somebody wants it.
 * @throws INVALID_REQUEST of settings that cannot be followed
 */
export async function startTracing(service: string, env: NodeJS.ProcessEnv = process.env): Promise<Tracing> {
  const settings = signalSettings('TRACES', env)
  const part = sampledPart(env)
  if (settings === null || part === 0) return noTracing
  const { exportSpans } = await import('./export.ts')
  return exportSpans(service, settings, part)
}
