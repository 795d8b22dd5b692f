/** What `npm run faults` counts. */
export interface Tally {
  kills: number
  lost: string[]
  repeated: string[]
  stuck: string[]
}

export const newTally = (): Tally => ({ kills: 0, lost: [], repeated: [], stuck: [] })

/** Counts what another part has counted. */
export function addTo(tally: Tally, other: Tally): void {
  tally.kills += other.kills
  for (const kind of ['lost', 'repeated', 'stuck'] as const) tally[kind].push(...other[kind])
}

/** What went wrong, line by line, and the verdict last. `kills`: what the blows are called. */
export function report(tally: Tally, kills = 'kills'): string[] {
  const { lost, repeated, stuck } = tally
  return [
    ...lost.map((what) => `LOST: ${what}`),
    ...repeated.map((what) => `REPEATED: ${what}`),
    ...stuck.map((what) => `STUCK: ${what}`),
    `faults: ${tally.kills} ${kills}, ${lost.length} lost, ${repeated.length} repeated, ${stuck.length} stuck`,
  ]
}

export const isClean = ({ lost, repeated, stuck }: Tally): boolean => lost.length + repeated.length + stuck.length === 0
