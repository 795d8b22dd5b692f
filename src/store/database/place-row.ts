/** What a stack manages, as a key with the stack: those of one environment may have a `shared` place together. */
export interface PlaceRow {
  address: string
  stackId: string
  /** Globs of what a directory leaves to others; null for what is no directory. */
  exceptJson: string | null
  shared: number
  /** The run that claimed it last. */
  runId: string
  claimedAt: number
}
