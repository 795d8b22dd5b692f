import { posix } from 'node:path'
import type { Place } from '../../../domain/plans/place.ts'
import { ownHost, realPathOf } from '../../hosts/own-host.ts'
import { hostId, type HostView, placeOn } from '../../hosts/real-path.ts'
import type { FilesEvent } from '../tool/events.ts'

const SSH = new Set(['ssh', 'smart', 'paramiko', 'paramiko_ssh'])

/**
 * The files that the playbook manages. A host is known by its address, and where facts were gathered by its machine id as
 * well; links on it are not followed. Stacks of one environment may edit one file together.
 */
export function placesOf(events: readonly FilesEvent[]): Place[] {
  const own = ownHost()
  return events.flatMap((event) =>
    event.files.flatMap(({ path, isLink }) => {
      const plain = posix.normalize(path)
      if (event.connection === 'local') return [placeOn(own, followed(plain, isLink), { shared: true })]
      return viewsOf(event).map((view) => placeOn(view, plain, { shared: true }))
    }),
  )
}

const followed = (path: string, isLink: boolean): string =>
  isLink ? posix.join(realPathOf(posix.dirname(path)), posix.basename(path)) : realPathOf(path)

function viewsOf({ host, connection, address, port, machineId, nodename }: FilesEvent): HostView[] {
  const by = connection === null || SSH.has(connection) ? 'ssh' : connection
  const named = [by, address ?? host, ...(by === 'ssh' ? [port ?? '22'] : [])].join(' ')
  const views: HostView[] = [{ id: named.replaceAll(/[:/~\s]/g, '_'), mounts: [] }]
  if (machineId !== null && nodename !== null) views.push({ id: hostId(nodename, machineId), mounts: [] })
  return views
}
