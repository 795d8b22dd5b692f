import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunState } from '../../domain/runs/run.ts'

const POLL_MS = 25

/**
 * Where the fault tests (`test/faults`) hold a run in states too short to be met from outside: while the file
 * `$TRUEUP_TEST_HOLD/STACK/hold-before-STATE` exists, the run waits here, and says so by `at-before-STATE`. Without the
 * variable this does nothing.
 */
export async function holdBefore(stack: string, state: RunState, signal: AbortSignal): Promise<void> {
  const directory = process.env.TRUEUP_TEST_HOLD
  if (directory === undefined) return
  const place = join(directory, stack)
  if (!existsSync(join(place, `hold-before-${state}`))) return
  writeFileSync(join(place, `at-before-${state}`), String(process.pid))
  while (existsSync(join(place, `hold-before-${state}`))) await sleep(POLL_MS, undefined, { signal })
}
