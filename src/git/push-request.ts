import type { Readable } from 'node:stream'
import { TrueupError } from '../lib/errors/error.ts'
import { decodePath } from './paths.ts'

/** One ref that a push wants to move; `oldOid` or `newOid` of zeros: made or removed. */
export interface PushUpdate {
  ref: string
  oldOid: string
  newOid: string
}

/** What stands before the pack in a request to `git-receive-pack`. */
export interface PushRequest {
  updates: PushUpdate[]
  /** `git push -o` values; none of them where there are more or longer ones than `PUSH_OPTION_LIMITS`. */
  options: string[]
  tooManyOptions: boolean
  /** What the client can read of an answer: `report-status`, `side-band-64k` … */
  capabilities: ReadonlySet<string>
  /** The same, written anew, so that git reads exactly what was read here; what follows in the stream is the pack. */
  head: Buffer
  /** First bytes of the pack, which came along with the end of `head`. */
  rest: Buffer
}

/** More refs than a mirror of a large repository has; each takes a lock file and a sync. */
const MAX_UPDATES = 20_000
/** Options travel in the environment of the hooks, where git and a shell read them one by one. */
export const PUSH_OPTION_LIMITS = { count: 64, bytes: 32_768 }
const MAX_HEAD_BYTES = 8 * 1024 * 1024

const UPDATE = /^((?:[0-9a-f]{40}|[0-9a-f]{64})) ((?:[0-9a-f]{40}|[0-9a-f]{64})) (.+)$/s
const SHALLOW = /^shallow (?:[0-9a-f]{40}|[0-9a-f]{64})$/
/** One that changes what follows in the stream; none of them is offered by this server. */
const STRANGE_CAPABILITY = /^push-cert(?:=|$)/

/**
 * Reads the commands of a push off a request body (gitprotocol-pack, "Reference Update Request and Packfile Transfer").
 * The grammar is narrower than git's: signed pushes, other packets than data and flush, and what is not understood are
 * refused. Errors: INVALID_REQUEST, TOO_LARGE.
 */
export async function readPushRequest(body: Readable): Promise<PushRequest> {
  const packets = createPackets(body)
  const updates: PushUpdate[] = []
  const written: Buffer[] = []
  let capabilities = new Set<string>()
  for (let line = await packets.next(); line !== null; line = await packets.next()) {
    const [command, offered] = splitAtNul(line)
    if (SHALLOW.test(command.toString('latin1'))) {
      written.push(packet(command))
      continue
    }
    const [, oldOid, newOid, name] = UPDATE.exec(command.toString('latin1')) ?? []
    if (oldOid === undefined || newOid === undefined || name === undefined) {
      throw malformed('a line of it is no update of a ref (signed pushes are not taken)')
    }
    if (updates.length === 0) capabilities = new Set(offered.toString('latin1').split(' ').filter(Boolean))
    else if (offered.length > 0) throw malformed('it names capabilities twice')
    updates.push({ oldOid, newOid, ref: decodePath(Buffer.from(name, 'latin1')) })
    if (updates.length > MAX_UPDATES) {
      throw tooLarge(`it moves more than ${MAX_UPDATES} refs`, 'Push fewer refs at a time.')
    }
    written.push(packet(updates.length === 1 ? Buffer.concat([command, NUL, offered]) : command))
  }
  if ([...capabilities].some((word) => STRANGE_CAPABILITY.test(word))) throw malformed('it is signed')
  written.push(FLUSH)
  const options = capabilities.has('push-options') ? await readOptions(packets) : null
  if (options) written.push(...options.map(packet), FLUSH)
  const rest = await packets.end()
  const { count, bytes } = PUSH_OPTION_LIMITS
  const tooManyOptions =
    options !== null && (options.length > count || options.reduce((sum, option) => sum + option.length, 0) > bytes)
  return {
    updates,
    options: tooManyOptions ? [] : (options ?? []).map((option) => option.toString('utf8')),
    tooManyOptions,
    capabilities,
    head: Buffer.concat(written),
    rest,
  }
}

async function readOptions(packets: Packets): Promise<Buffer[]> {
  const options: Buffer[] = []
  for (let line = await packets.next(); line !== null; line = await packets.next()) {
    if (line.includes(0)) throw malformed('an option of it holds a zero byte')
    options.push(line)
  }
  return options
}

const NUL = Buffer.from([0])
const FLUSH = Buffer.from('0000')

const packet = (data: Buffer): Buffer =>
  Buffer.concat([Buffer.from((data.length + 4).toString(16).padStart(4, '0')), data])

function splitAtNul(line: Buffer): [command: Buffer, capabilities: Buffer] {
  const at = line.indexOf(0)
  if (at < 0) return [line, Buffer.alloc(0)]
  const capabilities = line.subarray(at + 1)
  if (!/^[\x20-\x7e]*$/.test(capabilities.toString('latin1'))) throw malformed('its capabilities are not text')
  return [line.subarray(0, at), capabilities]
}

interface Packets {
  /** The data of the next packet without its line feed; null for a flush packet, and where the body ends before one. */
  next(): Promise<Buffer | null>
  /** Lets go of the body, and gives what was read of it beyond the last packet. */
  end(): Promise<Buffer>
}

function createPackets(body: Readable): Packets {
  const chunks = body.iterator({ destroyOnReturn: false })
  let bytes: Buffer = Buffer.alloc(0)
  let taken = 0
  const has = async (count: number): Promise<boolean> => {
    while (bytes.length < count) {
      const { value, done } = await chunks.next()
      if (done) return false
      bytes = Buffer.concat([bytes, value as Buffer])
    }
    return true
  }
  const take = (count: number): Buffer => {
    const data = bytes.subarray(0, count)
    bytes = bytes.subarray(count)
    taken += count
    if (taken > MAX_HEAD_BYTES) throw tooLarge(`its commands are more than ${MAX_HEAD_BYTES} bytes`, 'Push fewer refs.')
    return data
  }
  return {
    async next() {
      if (!(await has(4))) {
        if (bytes.length === 0 && taken === 0) return null
        throw malformed('it breaks off')
      }
      const size = take(4).toString('latin1')
      if (size === '0000') return null
      const length = /^[0-9a-fA-F]{4}$/.test(size) ? Number.parseInt(size, 16) - 4 : 0
      if (length < 1) throw malformed(`"${JSON.stringify(size)}" is no length of a packet`)
      if (!(await has(length))) throw malformed('it breaks off')
      const data = take(length)
      return data.at(-1) === 0x0a ? data.subarray(0, -1) : data
    },
    async end() {
      // Otherwise the iterator goes on listening, and nobody else gets the rest.
      await chunks.return?.()
      return bytes
    },
  }
}

const DOING = 'reading a push'
const malformed = (why: string): TrueupError =>
  new TrueupError('INVALID_REQUEST', { doing: DOING, why, next: 'Push with git itself.' })
const tooLarge = (why: string, next: string): TrueupError => new TrueupError('TOO_LARGE', { doing: DOING, why, next })
