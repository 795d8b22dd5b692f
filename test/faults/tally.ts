/** What `npm run faults` counts. */
export interface Tally {
  kills: number
  lost: string[]
  repeated: string[]
  stuck: string[]
}

export const newTally = (): Tally => ({ kills: 0, lost: [], repeated: [], stuck: [] })

export const verdict = ({ kills, lost, repeated, stuck }: Tally): string =>
  `faults: ${kills} kills, ${lost.length} lost, ${repeated.length} repeated, ${stuck.length} stuck`

export const isClean = ({ lost, repeated, stuck }: Tally): boolean => lost.length + repeated.length + stuck.length === 0
