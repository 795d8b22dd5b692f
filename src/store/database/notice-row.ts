/** What people are to know of an environment; it stops nothing. */
export interface NoticeRow {
  id: string
  repositoryId: string
  environment: string
  kind: 'incident' | 'maintenance' | 'info'
  text: string
  createdById: string
  createdAt: number
  /** Null: until it is withdrawn. */
  until: number | null
  withdrawnAt: number | null
}
