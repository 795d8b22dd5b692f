import type { Plan } from '../../domain/plans/plan.ts'
import { completePlan } from '../../domain/plans/complete.ts'
import { localContext, type LocalContextOptions } from './context.ts'

/** Plans one stack of the working tree against live state. Its desired digest says "local": nobody can approve it. */
export async function planLocally(options: Omit<LocalContextOptions, 'phase'>): Promise<Plan> {
  const { definition, driver } = options.stack
  const local = await localContext({ ...options, phase: 'plan' })
  try {
    const planned = await driver.plan(local.context)
    return completePlan(planned, {
      desiredDigest: 'local',
      ignore: definition.ignore,
      unstable: definition.unstable,
      cause: null,
    })
  } finally {
    await local.remove()
  }
}
