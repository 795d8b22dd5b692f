/**
 * Which versions of the wire are spoken, and how two programs of different age agree on one. A minor version of Trueup
 * raises the protocol by one at most and keeps the two before, so that worker and server may be two minor versions apart
 * either way. Within a protocol only optional members, methods and events are added: who does not know them leaves them
 * out, or answers METHOD_UNKNOWN.
 *
 * | protocol | since | what came                                                                                    |
 * |----------|-------|----------------------------------------------------------------------------------------------|
 * | 1        | 0.1   | the beginning                                                                                |
 * | 2        | 0.1   | proofs for one request, keys replaced, versions and capabilities agreed upon        |
 */
export const PROTOCOL_VERSION = 2
/** The oldest that this program still speaks. */
export const OLDEST_PROTOCOL = 1

/** What a side can do beside its protocol; names that the other side does not know mean nothing to it. */
export const CAPABILITIES = ['rotateKey', 'sandbox', 'logs', 'tools', 'identity', 'sops'] as const
export type Capability = (typeof CAPABILITIES)[number]

/** By what a worker said at its last hello. */
export const canDo = (capabilities: unknown, one: Capability): boolean =>
  Array.isArray(capabilities) && capabilities.includes(one)

/** A program, as it says hello: without `oldest`, only the one protocol is meant. */
export interface Speaker {
  version: string
  protocol: number
  oldest?: number | undefined
}

export const SELF = (version: string): Speaker => ({ version, protocol: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL })

/** The newest protocol of both, null where they have none in common. */
export function agreedProtocol(one: Speaker, other: Speaker): number | null {
  const newest = Math.min(one.protocol, other.protocol)
  return newest >= (one.oldest ?? one.protocol) && newest >= (other.oldest ?? other.protocol) ? newest : null
}

/** Why worker and server cannot talk, and what to do, in words. */
export function disagreement(worker: Speaker, server: Speaker): { why: string; next: string } {
  const shown = ({ protocol, oldest = protocol }: Speaker): string =>
    oldest === protocol ? `protocol ${protocol}` : `protocols ${oldest} to ${protocol}`
  const isWorkerOlder = worker.protocol < server.protocol
  const [old, fresh] = isWorkerOlder ? (['worker', server.version] as const) : (['server', worker.version] as const)
  return {
    why: `the worker is Trueup ${worker.version} with ${shown(worker)}, the server ${server.version} with ${shown(server)}`,
    next: `Upgrade the ${old} to ${fresh}, or to a version at most two minor ones before it.`,
  }
}
