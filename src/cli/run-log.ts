import { setTimeout as sleep } from 'node:timers/promises'
import { TrueupError } from '../lib/errors/error.ts'
import { RunLog } from '../server/schemas/plans.ts'
import type { Client } from './client.ts'
import { runPath } from './follow.ts'

const POLL_MS = 400

export interface LogWish {
  follow: boolean
  signal: AbortSignal
  /** Each line begins with the time at which it was written (UTC). */
  timestamps?: boolean
  write: (text: string) => void
}

/** Writes the log of a run part by part; with `follow` until the run has ended, otherwise as far as it goes now. */
export async function writeLog(
  client: Client,
  id: string,
  { follow, signal, timestamps = false, write }: LogWish,
): Promise<void> {
  const stamp = timestamps ? stamping() : ({ text }: RunLog) => text
  for (let offset = 0; ; ) {
    const part = await client.get(`${runPath(id)}/log`, RunLog, { offset })
    write(stamp(part, offset))
    const grew = part.next > offset
    offset = part.next
    if (part.done || (!follow && !grew)) return
    if (!grew) await sleep(POLL_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted)
      throw new TrueupError('CANCELED', { doing: `following the log of ${id}`, why: 'it was interrupted' })
  }
}

/** Puts times before the lines of parts that follow one another, each with its offset; a line may come in two parts. */
export function stamping(): (part: RunLog, offset: number) => string {
  let isBegin = true
  return ({ text, times }, offset) => {
    let stamped = ''
    let mark = 0
    for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      while (mark + 1 < times.length && times[mark + 1]!.offset <= offset) mark++
      stamped += isBegin ? `${new Date(times[mark]!.at).toISOString()} ${line}` : line
      isBegin = line.endsWith('\n')
      offset += line.length
    }
    return stamped
  }
}
