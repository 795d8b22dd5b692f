/**
 * `npm test`: every test with every real tool that is found, a list of what was skipped and how to get it, and a last
 * line `N passed, N failed, N skipped`. Arguments are passed to vitest (`npm test -- src/domain`).
 *
 * With `TRUEUP_TEST_AGAIN=N` up to N files that failed are run once more, alone. What passes only then is told by name as
 * unsteady, with how it failed: that is a fault too, of the test or of what it tests, and is to be found.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scratchInMemory } from './scratch-in-memory.ts'
import {
  countsOf,
  failedFiles,
  failureTexts,
  Report,
  skippedNames,
  slowestFiles,
  withSecondRun,
} from './test-report.ts'

/** How many files that failed are run once more; more of them are no accident. */
const AGAIN = Number(process.env.TRUEUP_TEST_AGAIN ?? 0)

const scratch = mkdtempSync(join(tmpdir(), 'trueup-test-'))
const memory = scratchInMemory()
let child: ChildProcess | undefined
let stopped = false
// What was begun is cleared away; the tests end by themselves at the same signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stopped = true
    child?.kill(signal)
  })

try {
  process.exitCode = await main()
} catch (error) {
  console.error('reading the test report:', error)
  console.log('0 passed, 1 failed, 0 skipped')
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
  memory.remove()
}

async function main(): Promise<number> {
  const first = await runTests('first', process.argv.slice(2))
  let { report, code } = first
  const failed = failedFiles(report)
  const again = failed.length > 0 && failed.length <= AGAIN && !stopped
  if (again) {
    console.log(`\nonce more, alone: ${failed.length} files of which tests failed`)
    const second = await runTests(
      'second',
      failed.map((file) => file.name),
    )
    report = withSecondRun(first.report, second.report)
    code = second.code
  }
  printSkips(report)
  printSlowest(report)
  const stillFailed = new Set(failedFiles(report).map((file) => file.name))
  if (again) printUnsteady(failureTexts(failed.filter((file) => !stillFailed.has(file.name))))
  for (const text of failureTexts(failedFiles(report))) console.log(`FAILED ${text}`)
  const counts = countsOf(report)
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return code === 0 && counts.failed === 0 ? 0 : 1
}

async function runTests(name: string, args: readonly string[]): Promise<{ report: Report; code: number }> {
  const file = join(scratch, `${name}.json`)
  const argv = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args]
  const env = { ...process.env, ...memory.env }
  const vitest = (child = spawn('vitest', argv, { stdio: ['ignore', 'inherit', 'inherit'], env }))
  const code = await new Promise<number>((resolve, reject) => {
    vitest.on('error', reject)
    vitest.on('close', (status) => resolve(status ?? 1))
  })
  return { report: Report.parse(JSON.parse(readFileSync(file, 'utf8'))), code }
}

function printSkips(report: Report): void {
  const names = skippedNames(report)
  if (names.length === 0) return
  console.log(`\nskipped (${names.length}); \`npm run tools\` installs what Debian and npm can give:`)
  for (const name of names.slice(0, 50)) console.log(`  ${name}`)
}

function printSlowest(report: Report): void {
  const files = slowestFiles(report)
  if (files.length === 0) return
  console.log('\nslowest:')
  for (const { name, seconds } of files.slice(0, 25)) console.log(`  ${seconds.toFixed(0).padStart(4)} s  ${name}`)
}

/** At the end: the rest of the log is long, and often cut. */
function printUnsteady(texts: readonly string[]): void {
  if (texts.length === 0) return
  console.log(`\nunsteady (${texts.length}): failed, and passed alone; each is a fault to be found`)
  for (const text of texts) console.log(`UNSTEADY ${text}`)
}
