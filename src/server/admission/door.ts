import type { IncomingMessage, ServerResponse } from 'node:http'
import { SECURITY_HEADERS } from '../security-headers.ts'
import type { NoPlace } from './fair-places.ts'
import { noPlace } from './no-place.ts'

/** How many requests of people may be in the house: worked on, waiting, or not known yet. */
export interface DoorLimits {
  inAll: number
  ofOne: number
}

/** What has a lane of its own, and does not wait with people: workers, the state of their runs, streams of events. */
const OWN_LANES = ['/api/v1/worker/', '/api/v1/state/', '/api/v1/events']

/** Whether a request is one of a person to the API, by its address. */
export const isOfPeople = (url: string): boolean =>
  url.startsWith('/api/') && !OWN_LANES.some((lane) => url.startsWith(lane))

/**
 * The first look at a request, before the framework has made anything of it: finding out who asks is work, too, and must not
 * grow a line of its own before the places. Sending away costs a thirtieth of an answer, which is what keeps answers coming at
 * twenty times the load. Who asks is only guessed at here, by what would prove it: one who floods fills a share and not the house.
 * Gives whether the request may go on; where not it has been answered.
 */
export function createDoor(
  limits: DoorLimits,
  onRefusal: (why: NoPlace) => void,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  let here = 0
  const byShare = new Map<string, number>()
  const answers = { full: refusalOf('full'), 'share full': refusalOf('share full') }
  return (request, response) => {
    if (!isOfPeople(request.url ?? '')) return true
    const share = shareOf(request)
    const own = byShare.get(share) ?? 0
    const why = own >= limits.ofOne ? 'share full' : here >= limits.inAll ? 'full' : null
    if (why !== null) {
      onRefusal(why)
      const { status, headers, body } = answers[why]
      response.writeHead(status, headers).end(body)
      return false
    }
    here++
    byShare.set(share, own + 1)
    response.once('close', () => {
      here--
      const left = byShare.get(share)! - 1
      if (left === 0) byShare.delete(share)
      else byShare.set(share, left)
    })
    return true
  }
}

const shareOf = ({ headers, socket }: IncomingMessage): string =>
  headers.authorization ?? headers.cookie ?? socket.remoteAddress ?? ''

function refusalOf(why: NoPlace): { status: number; headers: Record<string, string | number>; body: string } {
  const error = noPlace(why)
  const body = JSON.stringify(error)
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'retry-after': '1',
  }
  return { status: error.status, headers, body }
}
