import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { TrueupError } from '../lib/errors/error.ts'
import type { Client } from './client.ts'
import { runPath } from './follow.ts'

const LogPart = z.object({ text: z.string(), next: z.number(), done: z.boolean() })
const POLL_MS = 400

/** Writes the log of a run part by part; with `follow` until the run has ended, otherwise as far as it goes now. */
export async function writeLog(
  client: Client,
  id: string,
  { follow, signal, write }: { follow: boolean; signal: AbortSignal; write: (text: string) => void },
): Promise<void> {
  for (let offset = 0; ; ) {
    const part = await client.get(`${runPath(id)}/log`, LogPart, { offset })
    write(part.text)
    const grew = part.next > offset
    offset = part.next
    if (part.done || (!follow && !grew)) return
    if (!grew) await sleep(POLL_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted)
      throw new TrueupError('CANCELED', { doing: `following the log of ${id}`, why: 'it was interrupted' })
  }
}
