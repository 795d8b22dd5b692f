/** One thing that was looked at. `error`: Trueup cannot work; `warning`: it works worse; `note`: good to know. */
export interface Check {
  name: string
  state: 'ok' | 'note' | 'warning' | 'error'
  finding: string
  /** What to do about it. */
  next?: string
}
