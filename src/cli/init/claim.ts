import { posix } from 'node:path'
import type { Found } from './found.ts'

/** A directory that another GitOps tool deploys, as its own objects in the repository say. */
export interface Claim {
  by: 'Flux' | 'Argo CD'
  /** The directory. */
  path: string
  /** The file with the object that says so. */
  file: string
  /** The stack that would do the same; null where it would not be the same. */
  stack: Found | null
  /** Why there is none; else empty. */
  why: string
}

/** A path as such objects write it (`./apps/prod/`), from the root of the repository. */
export function directoryOf(path: string): string {
  const normal = posix.normalize(path).replace(/^\/+|\/+$/g, '')
  return normal === '' ? '.' : normal
}
