import { readFile } from 'node:fs/promises'
import { isRefName } from './names.ts'
import { encodePath } from './paths.ts'
import { PUSH_OPTION_LIMITS, type PushRequest, type PushUpdate } from './push-request.ts'

/** Why a ref is not moved: for the client's list of refs, and in words for the person. */
export interface Refusal {
  ref: string
  reason: string
  lines: string[]
}

export interface PushRules {
  /** Full names of the refs that nobody pushes to. */
  protectedRefs: readonly string[]
  /** Full name. */
  defaultRef: string
  /** Whether this push may make the default branch although it is protected. */
  mayBootstrap: boolean
}

const HEADS = 'refs/heads/'
/** A name of this kind is easily read as an option or as another ref. */
const CONFUSING = /^refs\/(?:heads|tags)\/-|^refs\/heads\/(?:HEAD$|refs\/)/
const OWN = /^refs\/(?:trueup|merge-requests)\//i
const PUSHABLE = /^refs\/(?:heads|tags|notes)\//
const isNone = (oid: string): boolean => /^0+$/.test(oid)

/** What of a push may not be; one refusal refuses all of it: a part would be a surprise. */
export function refusalsOf(
  { updates, tooManyOptions }: Pick<PushRequest, 'updates' | 'tooManyOptions'>,
  rules: PushRules,
): Refusal[] {
  const refusals = updates.flatMap((update) => refusalOf(update, rules) ?? [])
  if (!tooManyOptions) return refusals
  const { count, bytes } = PUSH_OPTION_LIMITS
  const why = `It has more than ${count} push options, or more than ${bytes} bytes of them.`
  return updates.map(({ ref }) =>
    refuse(ref, 'too many push options', `Trueup: ${ref} was not pushed.`, why, 'Next: push with fewer -o options.'),
  )
}

function refusalOf({ ref, oldOid, newOid }: PushUpdate, rules: PushRules): Refusal | null {
  const name = ref.slice(HEADS.length)
  const toBranch = 'Next: push to a branch, for example git push origin HEAD:refs/heads/my-change'
  if (OWN.test(ref)) {
    const own = 'Trueup writes refs/trueup/ and refs/merge-requests/ itself.'
    return refuse(ref, 'not for pushes', `Trueup: ${ref} was not pushed.`, own, toBranch)
  }
  if (!PUSHABLE.test(ref)) {
    const only = 'Only branches (refs/heads/), tags and notes can be pushed.'
    return refuse(ref, 'not for pushes', `Trueup: ${ref} was not pushed.`, only, toBranch)
  }
  if (!isRefName(ref) || CONFUSING.test(ref)) {
    const why = 'A name like this is easily taken for something else.'
    return refuse(ref, 'unsafe name', `Trueup: ${ref} was not pushed.`, why, 'Next: choose a name such as my-change.')
  }
  const guarded = [...rules.protectedRefs, rules.defaultRef]
  if (guarded.includes(ref)) {
    if (isNone(newOid)) {
      const why = 'It is the default branch: environments are deployed from it.'
      const next = 'Next: leave it, and name the branch that you meant.'
      return refuse(ref, 'default branch', `Trueup: branch '${name}' was not deleted.`, why, next)
    }
    const first = rules.mayBootstrap && ref === rules.defaultRef && isNone(oldOid)
    return rules.protectedRefs.includes(ref) && !first ? isProtected(ref) : null
  }
  // Where names differ in case only, a file system may take one for the other, and a person will.
  const alike = guarded.find((other) => folded(other) === folded(ref))
  if (alike === undefined) return null
  const why = `It differs from '${alike.slice(HEADS.length)}' in case only.`
  return refuse(
    ref,
    'too like another',
    `Trueup: ${ref} was not pushed.`,
    why,
    'Next: choose a name such as my-change.',
  )
}

const folded = (ref: string): string => ref.normalize('NFKC').toLowerCase()

function isProtected(ref: string): Refusal {
  return refuse(
    ref,
    'protected branch',
    `Trueup: '${ref.slice(HEADS.length)}' was not pushed.`,
    'It is protected: changes come in by merge requests only.',
    'Next: push a branch and open a merge request:',
    '  git push origin HEAD:refs/heads/my-change',
    '  trueup mr create',
  )
}

const refuse = (ref: string, reason: string, ...lines: string[]): Refusal => ({
  ref,
  reason,
  // A name is the pusher's to choose; what the server says is read in a terminal.
  lines: lines.map((line) => line.replaceAll(/\p{Cc}/gu, '?')),
})

/** A push to a ref that stands for another would move that other one. */
export async function symbolicRefusals(directory: string, updates: readonly PushUpdate[]): Promise<Refusal[]> {
  const refusals: Refusal[] = []
  for (const { ref } of updates) {
    if (!isRefName(ref) || !(await isSymbolic(Buffer.concat([Buffer.from(`${directory}/`), encodePath(ref)])))) continue
    const next = 'Next: push to the branch that you mean by its own name.'
    refusals.push(refuse(ref, 'symbolic', `Trueup: ${ref} was not pushed.`, 'It stands for another branch.', next))
  }
  return refusals
}

/** Symbolic refs are always files of their own (git-pack-refs). */
async function isSymbolic(file: Buffer): Promise<boolean> {
  try {
    return (await readFile(file, 'latin1')).startsWith('ref:')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'].includes(code)) return false
    throw error
  }
}

/** Whether a push wants to make the default branch: only then it matters whether the repository is empty. */
export const wantsBootstrap = (updates: readonly PushUpdate[], defaultRef: string): boolean =>
  updates.some(({ ref, oldOid }) => ref === defaultRef && isNone(oldOid))
