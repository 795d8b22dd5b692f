import type { Finding } from '../../../domain/plans/plan.ts'
import type { Client } from './client.ts'
import { pathOf } from './discovery.ts'
import type { Target } from './live.ts'

/** Of one text this many objects are named. */
const NAMED = 10

/** What the server has warned of while these objects were read, checked or written: one finding an object and text. */
export function warningFindings(client: Client, targets: readonly Target[]): Finding[] {
  const objects = new Map<string, string[]>()
  for (const { address, ref, resource } of targets) {
    const places = [pathOf(resource, ref.namespace), pathOf(resource, ref.namespace, ref.name)]
    for (const text of new Set(places.flatMap((place) => client.warningsAt(place)))) {
      objects.set(text, [...(objects.get(text) ?? []), address])
    }
  }
  return [...objects].flatMap(([text, addresses]): Finding[] => {
    const finding = (what: string): Finding => ({
      severity: 'warning',
      code: 'api_warning',
      message: `${what}: the cluster warns: ${text}`,
    })
    const rest = addresses.length - NAMED
    return [
      ...addresses.slice(0, NAMED).map(finding),
      ...(rest > 0 ? [finding(`${rest} more ${rest === 1 ? 'object' : 'objects'}`)] : []),
    ]
  })
}
