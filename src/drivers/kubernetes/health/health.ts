import { formatDuration } from '../../../domain/duration.ts'
import type { DriverContext, Health } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { openSession } from '../session.ts'
import { renderFor } from '../plan/render-for.ts'
import { resolveWanted } from '../plan/wanted.ts'
import { awaitHealth, CUT_SHORT, isCutShort, patienceOf } from './wait.ts'

const SHOWN = 20

/** After an apply: waits until everything that the stack has is healthy. */
export async function health(context: DriverContext<KubernetesConfig>): Promise<Health> {
  if (!context.config.wait || context.destroy) return { healthy: true, lines: [] }
  const session = await openSession(context)
  const { wanted } = await resolveWanted(context, session, await renderFor(context, session))
  const targets = wanted.filter(({ hook }) => hook === null)
  const verdicts = await awaitHealth(context, session, targets)
  const bad = verdicts.filter(({ state }) => state !== 'healthy')
  if (bad.length === 0) return { healthy: true, lines: [`${targets.length} objects are healthy`] }
  const failed = bad.filter(({ state }) => state === 'failed')
  // Of those that failed the reason is what counts; the others may only have had no time.
  const told = failed.length > 0 ? failed : bad
  const cutShort = isCutShort(context, verdicts)
  const waited = cutShort
    ? ` (${CUT_SHORT})`
    : failed.length > 0
      ? ''
      : ` (waited ${formatDuration(patienceOf(context))})`
  const lines = told.slice(0, SHOWN).map(({ address, why }) => `${address}: ${why}${waited}`)
  const more = told.length > SHOWN ? [`and ${told.length - SHOWN} more`] : []
  return { healthy: false, lines: [...lines, ...more], ...(cutShort && { cutShort }) }
}
