import { isUtf8 } from 'node:buffer'

/** Content as people read it, or null where it is binary: no UTF-8, or with a NUL in it, as `git diff` tells them apart. */
export const textOf = (bytes: Buffer): string | null =>
  isUtf8(bytes) && !bytes.includes(0) ? bytes.toString('utf8') : null

/** What stands for content that is not shown, as `sha256:… (N bytes)`. */
export const digestOf = (sha256: string, bytes: number): string => `sha256:${sha256} (${bytes} bytes)`
