import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import type { Session } from '../session.ts'
import { chooseRenderer } from '../source/locate.ts'
import { type Rendered, renderOrThrow } from '../source/render.ts'

/** Renders for a cluster: a chart is told its version and what it serves. */
export async function renderFor(context: DriverContext<KubernetesConfig>, session: Session): Promise<Rendered> {
  if ((await chooseRenderer(context)) !== 'helm') return renderOrThrow(context)
  const { discovery } = session
  const [kubeVersion, apiVersions] = await Promise.all([discovery.serverVersion(), discovery.apiVersions()])
  return renderOrThrow(context, { kubeVersion, apiVersions })
}
