/**
 * `npm test`: every test with every real tool that is found, a list of what was skipped and how to get it, and a last
 * line `N passed, N failed, N skipped`. Arguments are passed to vitest (`npm test -- src/domain`).
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

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
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
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
const child = spawn('vitest', argv, { stdio: ['ignore', 'inherit', 'inherit'] })
child.on('close', (code) => process.exit(summarise(code ?? 1)))

function summarise(code: number): number {
  try {
    const report = Report.parse(JSON.parse(readFileSync(reportFile, 'utf8')))
    const skipped = report.numPendingTests + report.numTodoTests
    // A file that cannot even be loaded has no tests that failed, and must not pass for it.
    const brokenFiles = report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    )
    const failed = report.numFailedTests + brokenFiles.length
    printSkips(report)
    console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`)
    return code === 0 && failed === 0 ? 0 : 1
  } catch (error) {
    console.error('reading the test report:', error)
    console.log('0 passed, 1 failed, 0 skipped')
    return 1
  } finally {
    rmSync(scratch, { recursive: true, force: true })
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
