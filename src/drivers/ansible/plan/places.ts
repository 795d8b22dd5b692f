import { posix } from 'node:path'
import type { Place } from '../../../domain/plans/place.ts'
import { digestOf } from '../../../lib/digest.ts'
import { ownHost, realPathOf } from '../../hosts/own-host.ts'
import { hostId, type HostView, placeOn } from '../../hosts/real-path.ts'
import type { FilesEvent } from '../tool/events.ts'

const SSH = new Set(['ssh', 'smart', 'paramiko', 'paramiko_ssh'])

/**
 * The files that the playbook manages. A host is known by its machine id where facts were gathered, and by its address as
 * this worker reaches it: behind another jump host, or for a worker in another network, one address may be two machines.
 * Links on hosts are not followed. Stacks of one environment may edit one file together.
 */
export function placesOf(events: readonly FilesEvent[]): Place[] {
  const own = ownHost()
  return events.flatMap((event) =>
    event.files.flatMap(({ path, isLink }) => {
      const plain = posix.normalize(path)
      if (event.connection === 'local') return [placeOn(own, followed(plain, isLink), { shared: true })]
      return viewsOf(event, own).map((view) => placeOn(view, plain, { shared: true }))
    }),
  )
}

const followed = (path: string, isLink: boolean): string =>
  isLink ? posix.join(realPathOf(posix.dirname(path)), posix.basename(path)) : realPathOf(path)

function viewsOf(event: FilesEvent, own: HostView): HostView[] {
  const { connection, address, port, way, machineId, nodename } = event
  const views: HostView[] = []
  if (address !== null && port !== null) {
    const by = connection === null || SSH.has(connection) ? 'ssh' : connection
    const id = `${address}~${digestOf([own.id, by, port, way]).slice('sha256:'.length).slice(0, 12)}`
    views.push({ id: id.replaceAll(/[:/]/g, '_'), mounts: [] })
  }
  if (machineId !== null && nodename !== null) views.push({ id: hostId(nodename, machineId), mounts: [] })
  return views
}
