/** One attribute of one resource that left what was deployed. */
export interface DriftRow {
  id: string
  stackId: string
  /** Both of the stack, which keeps them for ever. */
  repositoryId: string
  environment: string
  address: string
  attribute: string
  expectedJson: string | null
  actualJson: string | null
  actions: string
  state: 'open' | 'healed' | 'codified' | 'accepted' | 'gone'
  since: number
  lastSeenAt: number
  closedAt: number | null
  /** The last time that it was known to be as it should be. */
  rightUntil: number | null
  /** Who made it so, where the target tells (`ChangedBy`). */
  byJson: string | null
  healCount: number
  acceptedById: string | null
  acceptedReason: string | null
  acceptedUntil: number | null
  runId: string
}
