import type { Finding } from '../../../domain/plans/plan.ts'
import type { HookEvent } from '../objects/hooks.ts'
import type { KubeObject } from '../objects/object.ts'
import { releaseOf } from '../source/helm.ts'
import type { HookRequest } from './hook-request.ts'

interface Event {
  event: HookEvent
  finding?: Finding
}

/** What a change of the stack is to its hooks. */
export async function eventOf({ context, survey, live, inventory }: HookRequest): Promise<Event> {
  if (context.destroy) return { event: 'delete' }
  if (inventory.desired !== '') return { event: context.rollback ? 'rollback' : 'upgrade' }
  const namespace = context.config.namespace ?? 'default'
  const release = releaseOf(context)
  if (![...live.values()].some((object) => isOfRelease(object, release)) && !(await isReleased())) {
    return { event: 'install' }
  }
  const message = `the Helm release ${release} of namespace ${namespace} is taken over: its hooks run as for an upgrade. Helm still has it in its list; delete its Secrets (kubectl -n ${namespace} delete secret -l owner=helm,name=${release}), so that nobody upgrades or uninstalls it`
  return { event: 'upgrade', finding: { severity: 'info', code: 'helm_release', message } }

  /**
   * Helm keeps each release in a Secret (https://helm.sh/docs/topics/advanced/#storage-backends), unless told otherwise. One
   * that was uninstalled with its history is an install for Helm as well.
   */
  async function isReleased(): Promise<boolean> {
    const selector = encodeURIComponent(`owner=helm,name=${release},status notin (superseded,uninstalling,uninstalled)`)
    for (const kind of ['secrets', 'configmaps']) {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}?labelSelector=${selector}&limit=1`
      const call = { doing: `looking for the Helm release ${release}`, path, signal: context.signal }
      const { status, body } = await survey.session.client.ask<{ items?: unknown[] }>(call)
      // An identity that may not look has at least the live objects to tell by.
      if (status < 300 && ((body as { items?: unknown[] }).items ?? []).length > 0) return true
    }
    return false
  }
}

const isOfRelease = ({ metadata }: KubeObject, release: string): boolean =>
  metadata.annotations?.['meta.helm.sh/release-name'] === release
