import { readFileSync } from 'node:fs'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Step } from './compare.ts'

/** Pointers are below 1,024 bytes by their specification: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const MAX_BYTES = 1_024
const POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:[a-z0-9.-]+ [^\n]*\n)*oid sha256:[0-9a-f]{64}\n/
const MAX_NAMED = 10

/**
 * A pointer of Git LFS in the place of its content would be deployed as the file. Only what is about to be written is
 * looked at. @throws SOURCE_INVALID naming them
 */
export function refusePointers(steps: readonly Step[]): void {
  const pointers = steps.filter(({ act, wanted }) => {
    if (act !== 'write' || wanted?.kind !== 'file' || wanted.rendered || wanted.size >= MAX_BYTES) return false
    return POINTER.test(readFileSync(wanted.origin, 'latin1'))
  })
  if (pointers.length === 0) return
  const named = pointers.slice(0, MAX_NAMED).map(({ path }) => path)
  const more = pointers.length > MAX_NAMED ? ` and ${pointers.length - MAX_NAMED} more` : ''
  throw new TrueupError('SOURCE_INVALID', {
    doing: 'reading what the target shall hold',
    why: `${named.join(', ')}${more} ${pointers.length === 1 ? 'is a pointer' : 'are pointers'} of Git LFS: the content is not in Git`,
    next: 'Commit the content itself (`git lfs migrate export`), fetch it by other means, or take these paths out with `exclude`.',
  })
}
