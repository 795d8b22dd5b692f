import { TrueupError } from '../lib/errors/error.ts'

const REPOSITORY_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/
const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
/** Characters that `git check-ref-format` refuses anywhere. */
// oxlint-disable-next-line no-control-regex
const REF_FORBIDDEN = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.$|\/$/
/** What may follow a name in `resolve`: `~3`, `^2`, in any number. */
const ANCESTRY = /(?:[~^]\d{0,6})*$/

/** Ids become directory names, so they hold nothing that a path could. */
export function checkRepositoryId(id: string): string {
  if (REPOSITORY_ID.test(id)) return id
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'opening a repository',
    why: `${JSON.stringify(id)} is not a repository id`,
  })
}

export function checkOid(oid: string, doing: string): string {
  if (OID.test(oid)) return oid
  throw new TrueupError('INVALID_REQUEST', { doing, why: `${JSON.stringify(oid)} is not a full object id` })
}

/** The rules of `git check-ref-format` for a name below `refs/`. */
export function isRefName(name: string): boolean {
  return (
    name.startsWith('refs/') &&
    name.split('/').length >= 3 &&
    !REF_FORBIDDEN.test(name) &&
    name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'))
  )
}

export function checkRefName(name: string, doing: string): string {
  if (isRefName(name)) return name
  throw new TrueupError('INVALID_REQUEST', {
    doing,
    why: `${JSON.stringify(name)} is not a full reference name`,
    next: 'Use a name such as refs/heads/main.',
  })
}

/**
 * Whether user text may be handed to git as a revision: a name or oid with ancestry marks. Searches (`:/text`, `^{/text}`),
 * reflogs (`@{1}`) and paths (`main:file`) are not revisions here.
 */
export function isRevision(text: string): boolean {
  const name = text.replace(ANCESTRY, '')
  return (
    name !== '' && text.length <= 1024 && !name.startsWith('-') && !name.startsWith('/') && !REF_FORBIDDEN.test(name)
  )
}
