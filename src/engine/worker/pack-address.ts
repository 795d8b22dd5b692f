import type { DataKeys } from '../../store/database/keys.ts'

/** Of a pack: the stack, the commit, and the commit that its taker holds. */
const NAME = /^[\w-]{1,100}-[0-9a-f]{40,64}(-[0-9a-f]{40,64})?$/

/** What is signed says what it is for: nothing else that the key signs begins so. */
const wordsOf = (name: string): string => `trueup pack ${name}`

/**
 * The address under which a pack is given to whoever names it: by a cache in front, which knows no workers. It is the same for
 * all, and nobody can guess it: it holds a signature of this installation. Whoever may have the pack is told the address.
 */
export const packAddress = (keys: Pick<DataKeys, 'sign'>, name: string): string => `${name}.${keys.sign(wordsOf(name))}`

/** The name of the pack behind an address; null where it is none of ours. */
export function packNamed(keys: Pick<DataKeys, 'verify'>, address: string): string | null {
  const dot = address.indexOf('.')
  const [name, signature] = [address.slice(0, dot), address.slice(dot + 1)]
  if (dot < 0 || !NAME.test(name) || !/^[\w-]{86}$/.test(signature)) return null
  return keys.verify(wordsOf(name), signature) ? name : null
}
