import type { Tally } from '../tally.ts'
import { type Blow, KILL, runWorkerRounds } from '../worker-rounds.ts'
import { openDisk } from './disk.ts'

const DISK_MEBIBYTES = 256

/** The power of an agent and of a runner is cut, again and again, on one disk; the server has another one. */
export async function runWorkerCuts(rounds: number, say: (line: string) => void): Promise<Tally> {
  const disk = await openDisk(DISK_MEBIBYTES)
  const blow: Blow = {
    place: disk.path,
    async strike(workers) {
      await disk.cut()
      await KILL.strike(workers)
    },
    // Ends the tools that are left: nobody outlives a power cut.
    recover: () => disk.bringBack(),
  }
  try {
    return await runWorkerRounds(rounds, say, blow)
  } finally {
    await disk.close()
  }
}
