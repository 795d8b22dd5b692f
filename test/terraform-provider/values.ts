import { Decoder, Encoder, ExtensionCodec } from '@msgpack/msgpack'

/** A value known only after apply; on the wire the msgpack extension 0 (12 when Terraform adds refinements to it). */
export class Unknown {}
export const unknown = new Unknown()

const extensions = new ExtensionCodec()
extensions.register({
  type: 0,
  encode: (value) => (value instanceof Unknown ? new Uint8Array([0]) : null),
  decode: () => unknown,
})
extensions.register({ type: 12, encode: () => null, decode: () => unknown })

/** Terraform's DynamicValue. */
export interface Dynamic {
  msgpack?: Uint8Array
  json?: Uint8Array
}

export const encode = (value: unknown): Dynamic => ({
  msgpack: Buffer.from(new Encoder({ extensionCodec: extensions }).encode(value)),
})

export function decode(value: Dynamic | null | undefined): unknown {
  if (value?.msgpack?.length) return new Decoder({ extensionCodec: extensions }).decode(value.msgpack)
  if (value?.json?.length) return JSON.parse(Buffer.from(value.json).toString('utf8'))
  return null
}
