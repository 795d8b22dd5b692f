/** Attributes that are neither drift nor overwritten. `address` and `attribute` are globs. */
export interface IgnoreRule {
  address: string
  attribute: string
}
