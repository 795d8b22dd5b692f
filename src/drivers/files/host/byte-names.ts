import { readdirSync } from 'node:fs'
import { decodePath } from '../../../git/paths.ts'

/**
 * The names in a directory that Node shows as `shown`, with a replacement character for what is no UTF-8: written as the
 * server writes names of Git that are no text (`decodePath`), so that two of them differ and both sides say the same.
 */
export const byteNames = (directory: string, shown: string): string[] =>
  readdirSync(directory, { encoding: 'buffer' })
    .filter((bytes) => bytes.toString('utf8') === shown)
    .map(decodePath)
    .sort()
