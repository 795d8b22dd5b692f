import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import type { Rendered } from '../source/render.ts'
import type { Inventory } from './inventory.ts'

/** Whether the run asks what has left the deployed state, and not what a change would do. */
export const isDrift = ({ kind }: DriverContext<unknown>): boolean => kind === 'drift' || kind === 'heal'

/** What rendered then and what does now, in words; null where it is the same, or not known. */
export function otherRenderer({ renderer }: Pick<Rendered, 'renderer'>, inventory: Inventory): string | null {
  if (renderer === '' || inventory.renderer === '' || inventory.renderer === renderer) return null
  return `rendered by ${renderer}, deployed with ${inventory.renderer}`
}

/** Another version may make other objects of the same source: said before it does. */
export function rendererFindings(other: string | null): Finding[] {
  if (other === null) return []
  // https://helm.sh/docs/overview/: since 4 a `null` in the chart's own values.yaml leaves the subchart's default.
  const isHelm4 = /^rendered by helm 4\..* with helm 3\./.test(other)
  const words = isHelm4
    ? ': a null in the values.yaml of the chart itself does not take away the default of a subchart any more; say it in `helm.values`'
    : ', which may make other objects of the same source'
  return [{ severity: isHelm4 ? 'warning' : 'info', code: 'other_renderer', message: `${other}${words}` }]
}
