import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import type { AttributeChange } from '../../../domain/plans/plan.ts'
import { toldOfSecret } from '../../../domain/plans/secret-text.ts'
import { SHOWN_BYTES } from '../host/content.ts'
import type { Status } from '../host/live.ts'
import type { WantedFile } from '../source/source.ts'

/** Where the live file is, and what the stack wants to see. */
interface Reading {
  livePath(relative: string): string
  showSecretDiff: boolean
}

/**
 * A hidden content with what may be told of its lines. Only of a template that a secret was filled into the lines themselves
 * are shown, where the stack asks for it: what a file holds that is private by a rule or by its mode, nobody knows.
 */
export function withLines(
  content: AttributeChange,
  wanted: WantedFile,
  live: Status | null,
  using: Reading,
): AttributeChange {
  if ([wanted.size, live?.size ?? 0].some((size) => size > SHOWN_BYTES)) return content
  const next = wanted.rendered ?? readFileSync(wanted.origin)
  const old = live === null ? null : readFileSync(using.livePath(wanted.path))
  if (!isUtf8(next) || (old !== null && !isUtf8(old))) return content
  const diff = using.showSecretDiff && wanted.filledIn === true
  const told = toldOfSecret(old?.toString('utf8'), next.toString('utf8'), diff)
  return told === undefined ? content : { ...content, shown: told }
}
