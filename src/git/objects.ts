export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag'

export type GitObject =
  | { found: true; oid: string; type: ObjectType; size: number; content: Buffer }
  | { found: false; reason: 'missing' }
  | { found: false; reason: 'too-large'; oid: string; type: ObjectType; size: number }

export interface ObjectInfo {
  oid: string
  type: ObjectType
  size: number
}

/** Reads objects by any name that `git cat-file` takes (oid, `oid^{tree}`, `oid:path`); never by unchecked user text. */
export interface ObjectReader {
  /** One answer per name, in order. Contents above `maxBytes` (default 16 MiB) are left out. */
  read(names: readonly string[], maxBytes?: number): Promise<GitObject[]>
  /** Types and sizes without contents; null where missing. */
  info(names: readonly string[]): Promise<(ObjectInfo | null)[]>
}
