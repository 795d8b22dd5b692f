import { TrueupError } from '../../lib/errors/error.ts'
import { digestOf } from '../../lib/digest.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import type { Judgement } from './gate.ts'

/** What an approval says that its giver has looked at. */
export interface Seen {
  /** Head of the merge request. */
  head?: string
  /** stack key → digest of its plan. */
  digests?: { readonly [stackKey: string]: string }
  /** `filesDigest` of the owned files; what stands at `head` where absent. */
  files?: string | null
}

/** One digest for the owned files of an MR; null where it has none. */
export const filesDigest = (files: Judgement['files']): string | null =>
  Object.keys(files).length === 0 ? null : digestOf(files)

/** Fewer digits of a commit id are met by accident. */
const LEAST_DIGITS = 7

/** A head that somebody names, whole where it is the one of the MR. Errors: INVALID_REQUEST where it is no commit id. */
export function namedHead(mr: Pick<MergeRequest, 'number' | 'headOid'>, named: string): string {
  const head = named.trim().toLowerCase()
  if (/^[0-9a-f]{1,64}$/.test(head) && head.length >= LEAST_DIGITS)
    return mr.headOid.startsWith(head) ? mr.headOid : head
  throw new TrueupError('INVALID_REQUEST', {
    doing: `reviewing !${mr.number}`,
    why: `the head ${JSON.stringify(named.slice(0, 80))} is no commit id`,
    next: `Send \`head\` as the merge request showed it: all ${mr.headOid.length} hex digits, or the first ${LEAST_DIGITS} and more.`,
  })
}

/**
 * Refuses an approval that does not say what was seen, or says something that is not there any more. What a person has
 * seen and is no longer part of the change takes nothing from it. Errors: INVALID_REQUEST, MR_MOVED, PLAN_CHANGED.
 */
export function assertSeen(
  mr: MergeRequest,
  current: Pick<Judgement, 'digests' | 'files'>,
  seen: Seen,
): asserts seen is Required<Pick<Seen, 'head' | 'digests'>> & Seen {
  const doing = `approving !${mr.number}`
  const { head, digests } = seen
  if (head === undefined || digests === undefined) {
    const lacking = [...(head === undefined ? ['head'] : []), ...(digests === undefined ? ['digests'] : [])].join(
      ' and ',
    )
    throw new TrueupError('INVALID_REQUEST', {
      doing,
      why: `it does not say what was seen: ${lacking} ${lacking.includes(' ') ? 'are' : 'is'} missing`,
      next: 'Send `head` and `digests` as the merge request showed them. A `trueup` command of this version does that.',
    })
  }
  if (head !== mr.headOid) {
    const why = `the head of "${mr.sourceBranch}" is ${mr.headOid.slice(0, 10)}, and you have looked at ${head.slice(0, 10)}`
    const next = 'Look at the new commits and plans, then approve again.'
    throw new TrueupError('MR_MOVED', { doing, why, next, details: { seen: head, current: mr.headOid } })
  }
  const changed = Object.entries(current.digests)
    .filter(([key, digest]) => digests[key] !== digest)
    .map(([stack, digest]) => ({ stack, seen: digests[stack] ?? null, current: digest }))
  const files = filesDigest(current.files)
  const filesMoved = seen.files !== undefined && seen.files !== files
  if (changed.length === 0 && !filesMoved) return
  const what = [
    ...changed.map(({ stack, seen: was }) =>
      was === null ? `${stack} has a plan now` : `the plan of ${stack} is another one`,
    ),
    ...(filesMoved ? ['files with code owners have another content'] : []),
  ]
  const more = what.length > 5 ? ` and ${what.length - 5} more` : ''
  throw new TrueupError('PLAN_CHANGED', {
    doing,
    why: `what you have seen is not what it is now: ${what.slice(0, 5).join(', ')}${more}`,
    next: `Look again (trueup mr show ${mr.number} --plan), then approve that.`,
    details: {
      changed: changed.slice(0, 100),
      ...(filesMoved && { files: { seen: seen.files ?? null, current: files } }),
    },
  })
}
