/** What secret variables were, sealed as they were; the last few of each scope. */
export interface FormerVariableRow {
  id: string
  variableId: string
  repositoryId: string
  environment: string | null
  stack: string | null
  name: string
  phase: 'both' | 'plan' | 'apply'
  valueSealed: string
  createdAt: number
}
