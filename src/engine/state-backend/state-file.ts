import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'

/** What the backend reads of a state file. Version 4 since Terraform 0.12; the rest of it is not ours to know. */
const StateFile = z.looseObject({
  version: z.number(),
  serial: z.int().min(0),
  lineage: z.string().min(1).max(200),
})

/**
 * What OpenTofu stores where the code has an `encryption` block: serial and lineage in clear, and again inside, where they
 * have to be the same (https://opentofu.org/docs/language/state/encryption/). There is no version beside them.
 */
const EncryptedState = StateFile.omit({ version: true }).extend({ encrypted_data: z.string().min(1) })

/** Lineage and serial of a state file. INVALID_REQUEST for anything else: it would be handed out as the state later. */
export function readStateFile(body: Buffer): { lineage: string; serial: number } {
  const doing = 'reading a Terraform state'
  let tree: unknown
  try {
    tree = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new TrueupError('INVALID_REQUEST', { doing, why: 'it is not JSON', cause })
  }
  const state = (isEncryptedTree(tree) ? EncryptedState : StateFile).safeParse(tree)
  if (state.success) return state.data
  const [issue] = state.error.issues
  throw new TrueupError('INVALID_REQUEST', { doing, why: `${issue?.path.join('.')}: ${issue?.message}` })
}

const isEncryptedTree = (tree: unknown): boolean =>
  typeof tree === 'object' && tree !== null && 'encrypted_data' in tree

/** Whether OpenTofu has encrypted it, with a key that the server never has. */
export const isEncrypted = (body: Buffer): boolean => isEncryptedTree(JSON.parse(body.toString('utf8')))

/** The same state with another serial, written as Terraform writes it, its numbers to the last digit. */
export function withSerial(body: Buffer, serial: number): Buffer {
  const tree = JSON.parse(body.toString('utf8'), asWritten as Reviver) as object
  return Buffer.from(`${JSON.stringify({ ...tree, serial }, null, 2)}\n`)
}

type Reviver = Parameters<typeof JSON.parse>[1]
/** In the runtime since Node 22, in TypeScript's library not yet. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/** Terraform's numbers have 512 bits. */
function asWritten(_key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === 'number' && source !== undefined ? rawJSON(source) : value
}
