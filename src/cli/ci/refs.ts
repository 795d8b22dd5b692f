import { TrueupError } from '../../lib/errors/error.ts'
import { type Checkout, saidBy } from './checkout.ts'

/** Below it lies what pipelines keep in the repository itself. */
const REFS = 'refs/trueup/ci/'
/** Where the checkout has what it saw last. */
const SEEN = 'refs/trueup-seen/ci/'

/** References of the remote repository that pipelines share. */
export interface SharedRefs {
  /** Name below `refs/trueup/ci/` → oid, as the remote repository has them now; their objects are here afterwards. */
  fetch(): Promise<Map<string, string>>
  /** Compare-and-swap at the remote repository; null: is not there, or goes. False where it stood elsewhere. */
  move(name: string, to: string | null, from: string | null): Promise<boolean>
}

/** @param remote name or address, as git knows it */
export function sharedRefs(checkout: Checkout, remote: string): SharedRefs {
  return {
    async fetch() {
      const refspec = `+${REFS}*:${SEEN}*`
      const flags = ['--quiet', '--no-tags', '--prune', '--force', '--no-write-fetch-head', '--no-recurse-submodules']
      const doing = `fetching what pipelines keep at ${remote}`
      await checkout.ask(doing, ['fetch', ...flags, remote, refspec])
      const listed = await checkout.ask(doing, ['for-each-ref', '--format=%(objectname) %(refname)', SEEN])
      const lines = listed.split('\n').filter(Boolean)
      return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1 + SEEN.length), line.split(' ')[0]!]))
    },
    async move(name, to, from) {
      const ref = REFS + name
      const lease = `--force-with-lease=${ref}:${from ?? ''}`
      const argv = ['push', '--porcelain', '--no-verify', lease, remote, `${to ?? ''}:${ref}`]
      const result = await checkout.git(argv)
      if (result.exitCode === 0) return true
      const line = result.stdout.split('\n').find((one) => one.startsWith('!')) ?? ''
      if (ELSEWHERE.test(line)) return false
      throw new TrueupError('CI_PUSH', {
        doing: `keeping ${ref} at ${remote}`,
        why: line === '' ? saidBy(result) : `${line.split('\t').slice(1).join(' ')}; ${saidBy(result)}`,
      })
    },
  }
}

/** As git says that a reference is not where it was expected: here, where it looks first, or over there. */
const ELSEWHERE =
  /stale info|fetch first|already exists|cannot lock ref|failed to update ref|reference is at|incorrect old value/i
