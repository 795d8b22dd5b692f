import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { hookOf } from '../objects/hooks.ts'
import type { Manifest } from '../source/manifests.ts'
import type { Session } from '../session.ts'
import type { Rendered } from '../source/render.ts'
import { renderFor } from './render-for.ts'

/** Of a stack that goes away only the hooks of its deletion matter; without its source it goes without them. */
export async function deletionHooks(context: DriverContext<KubernetesConfig>, session: Session): Promise<Rendered> {
  const nothing: Rendered = { manifests: [], problems: [], renderer: '', findings: [], secrets: [] }
  try {
    const rendered = await renderFor(context, session)
    const isDeletion = ({ object }: Manifest): boolean =>
      hookOf(object)?.runs.some(({ event }) => event === 'delete') ?? false
    return { ...nothing, manifests: rendered.manifests.filter(isDeletion), secrets: rendered.secrets }
  } catch (thrown) {
    if (!(thrown instanceof TrueupError) || thrown.code === 'CANCELED') throw thrown
    const message = `hooks of the deletion are not run, if there are any: ${thrown.text.why}`
    return { ...nothing, findings: [{ severity: 'warning', code: 'hook_not_run', message }] }
  }
}
