import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scratchInMemory } from '../scratch-in-memory.ts'

/** What one property may take, on a machine that does much else. */
const LONGEST_MS = 10 * 60_000

/** Runs test files and gives vitest's JSON report; progress goes to stderr, so that stdout is the result. */
export async function runVitest(which: string, env: NodeJS.ProcessEnv, more: readonly string[] = []): Promise<unknown> {
  const scratch = mkdtempSync(join(tmpdir(), 'trueup-conformance-'))
  const memory = scratchInMemory()
  try {
    const file = join(scratch, 'report.json')
    // What is asked is whether a property holds, and not how fast this machine is.
    const patience = [`--testTimeout=${LONGEST_MS}`, `--hookTimeout=${LONGEST_MS}`]
    const argv = [
      'run',
      which,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
      ...patience,
      ...more,
    ]
    const child = spawn('vitest', argv, { stdio: ['ignore', 2, 2], env: { ...env, ...memory.env } })
    await new Promise((resolve) => child.on('close', resolve))
    return JSON.parse(readFileSync(file, 'utf8'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
    memory.remove()
  }
}
