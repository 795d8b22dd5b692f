/**
 * `npm test`: every test with every real tool that is found, a list of what was skipped and how to get it, and a last
 * line `N passed, N failed, N skipped`. Arguments are passed to vitest (`npm test -- src/domain`).
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { scratchInMemory } from './scratch-in-memory.ts'

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numFailedTestSuites: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      startTime: z.number(),
      endTime: z.number(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ status: z.string(), fullName: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
})

const scratch = mkdtempSync(join(tmpdir(), 'trueup-test-'))
const reportFile = join(scratch, 'report.json')
const argv = [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${reportFile}`,
  ...process.argv.slice(2),
]
const memory = scratchInMemory()
const child = spawn('vitest', argv, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...memory.env } })
// What was begun is cleared away; the tests end by themselves at the same signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('close', (code) => process.exit(summarise(code ?? 1)))

function summarise(code: number): number {
  try {
    const report = Report.parse(JSON.parse(readFileSync(reportFile, 'utf8')))
    const skipped = report.numPendingTests + report.numTodoTests
    // A file that cannot be loaded, or whose set-up fails, has no tests that failed, and must not pass for it.
    const brokenFiles = report.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    )
    const failed = report.numFailedTests + brokenFiles.length
    printSkips(report)
    printSlowest(report)
    printFailures(report)
    console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`)
    return code === 0 && failed === 0 ? 0 : 1
  } catch (error) {
    console.error('reading the test report:', error)
    console.log('0 passed, 1 failed, 0 skipped')
    return 1
  } finally {
    rmSync(scratch, { recursive: true, force: true })
    memory.remove()
  }
}

function printSkips(report: z.infer<typeof Report>): void {
  const names = report.testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status !== 'passed' && test.status !== 'failed')
      .map((test) => test.fullName),
  )
  if (names.length === 0) return
  console.log(`\nskipped (${names.length}); \`npm run tools\` installs what Debian and npm can give:`)
  for (const name of names.slice(0, 50)) console.log(`  ${name}`)
}

/** Where the time went: the files that took longest, in seconds. */
function printSlowest(report: z.infer<typeof Report>): void {
  const files = report.testResults
    .map((file) => ({ name: relative('.', file.name), seconds: (file.endTime - file.startTime) / 1000 }))
    .filter((file) => file.seconds >= 10)
    .sort((a, b) => b.seconds - a.seconds)
  if (files.length === 0) return
  console.log('\nslowest:')
  for (const { name, seconds } of files.slice(0, 25)) console.log(`  ${seconds.toFixed(0).padStart(4)} s  ${name}`)
}

/** What failed, once more and at the end: the rest of the log is long, and often cut. */
function printFailures(report: z.infer<typeof Report>): void {
  for (const file of report.testResults.filter((each) => each.status === 'failed')) {
    const name = relative('.', file.name)
    const failed = file.assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0) console.log(`FAILED ${name}: ${firstLines(file.message || 'its set-up; see above')}`)
    for (const test of failed) {
      console.log(`FAILED ${name} > ${test.fullName}\n  ${firstLines(test.failureMessages.join('\n'))}`)
    }
  }
}

function firstLines(message: string): string {
  return message.split('\n').slice(0, 12).join('\n  ').slice(0, 1500)
}
