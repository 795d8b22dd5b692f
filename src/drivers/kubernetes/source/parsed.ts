import { createHash } from 'node:crypto'
import { type Manifest, type Problem, readManifests } from './manifests.ts'

/** One text, read. */
interface Parsed {
  manifests: Manifest[]
  problems: Problem[]
  bytes: number
}

/** Parsing YAML takes about half a millisecond an object, and the same texts are read with every check of drift. */
const known = new Map<string, Parsed>()
let held = 0
const MAX_BYTES = 32 * 1024 * 1024

/**
 * As `readManifests`, remembered by path and content. The objects are shared by all who read the same text: they are never
 * changed, and one that is the same object as before is the same text.
 */
export function parsedManifests(text: string, path: string | undefined, problems: Problem[]): Manifest[] {
  const key = createHash('sha256')
    .update(`${path ?? ''}\0`)
    .update(text)
    .digest('base64')
  let parsed = known.get(key)
  if (parsed) known.delete(key)
  else {
    const found: Problem[] = []
    parsed = { manifests: readManifests(text, path, found), problems: found, bytes: text.length }
    held += parsed.bytes
  }
  known.set(key, parsed)
  for (const [oldest, { bytes }] of known) {
    if (held <= MAX_BYTES || oldest === key) break
    known.delete(oldest)
    held -= bytes
  }
  problems.push(...parsed.problems)
  return parsed.manifests
}
