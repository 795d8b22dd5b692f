import type { Registry } from 'prom-client'
import type { Logger } from '../../lib/log.ts'
import { signalSettings } from '../../lib/tracing/settings.ts'
import type { MetricsExport } from './push-metrics.ts'

/**
 * Sends what `/metrics` shows to a collector too, as the environment asks for it (`OTEL_*`); null where it does not.
 * @throws INVALID_REQUEST of settings that cannot be followed
 */
export async function exportMetrics(
  service: string,
  { registry, log }: { registry: Registry; log: Logger },
  env: NodeJS.ProcessEnv = process.env,
): Promise<MetricsExport | null> {
  const settings = signalSettings('METRICS', env)
  if (settings === null) return null
  const [{ pushMetrics }, { tellTrouble }] = await Promise.all([
    import('./push-metrics.ts'),
    import('../../lib/tracing/sending.ts'),
  ])
  tellTrouble(log)
  return pushMetrics(service, settings, registry)
}
