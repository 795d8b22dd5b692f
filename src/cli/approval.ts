import { summaryText } from '../domain/plans/summary.ts'
import { TrueupError } from '../lib/errors/error.ts'
import type { MrDetail } from '../server/schemas/merge-requests.ts'
import type { Layout } from './output.ts'

/** What a person says that they have looked at, as far as they say it. */
export interface Looked {
  head?: string
  /** One for each plan; enough of it to tell it from others. */
  digest: string[]
}

/** Refuses where the merge request is not what the person has looked at. Errors: MR_MOVED, PLAN_CHANGED, INVALID_REQUEST. */
export function assertLooked(detail: MrDetail, { head, digest }: Looked): void {
  const doing = `approving !${detail.number}`
  const next = `Look again (trueup mr show ${detail.number} --plan), then approve that.`
  for (const [what, text, least] of [
    ...(head === undefined ? [] : [['--head', head, 7] as const]),
    ...digest.map((text) => ['--digest', bare(text), 8] as const),
  ])
    if (text.length < least) {
      throw new TrueupError('INVALID_REQUEST', { doing, why: `${what} ${text} is too short to tell what is meant` })
    }
  if (head !== undefined && !detail.head.startsWith(head)) {
    throw new TrueupError('MR_MOVED', { doing, why: `its head is ${detail.head}, not ${head}`, next })
  }
  if (digest.length === 0) return
  const current = Object.entries(detail.digests)
  const foreign = digest.find((text) => ![...current.map(([, value]) => value), detail.files ?? ''].some(isOf(text)))
  if (foreign !== undefined) {
    throw new TrueupError('PLAN_CHANGED', { doing, why: `none of its plans has the digest ${foreign}`, next })
  }
  const unnamed = current.filter(([, value]) => !digest.some((text) => isOf(text)(value))).map(([stack]) => stack)
  if (unnamed.length > 0) {
    const why = `no --digest names the plan of ${unnamed.slice(0, 5).join(', ')}${unnamed.length > 5 ? ', …' : ''}`
    throw new TrueupError('PLAN_CHANGED', { doing, why, next: `Look at it, and name it too: --digest <digest>` })
  }
}

const bare = (digest: string): string => digest.replace(/^sha256:/, '')
const isOf = (text: string) => (digest: string) => bare(digest).startsWith(bare(text))

/** What an approval given now binds to. */
export function approvalText(detail: MrDetail, { table }: Layout): string {
  const rows = Object.entries(detail.digests).map(([key, digest]) => {
    const stack = detail.stacks.find((entry) => entry.stack === key)
    const plan = stack?.summary ? summaryText({ summary: stack.summary }) : (stack?.note ?? 'its rules change')
    return [key, plan, shortDigest(digest)]
  })
  if (detail.files !== null) rows.push(['files with owners', 'as they are at this head', shortDigest(detail.files)])
  const head = `Head ${detail.head.slice(0, 10)}: ${detail.title}`
  return rows.length === 0 ? `${head}\nno plans` : `${head}\n${table(['stack', 'plan', 'digest'], rows)}`
}

/** Enough of a digest for people, and for `--digest`. */
export const shortDigest = (digest: string): string => bare(digest).slice(0, 12)
