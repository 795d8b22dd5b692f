import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { PropertyName } from '../../test/conformance/properties.ts'

const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          status: z.string(),
          fullName: z.string(),
          meta: z.object({
            conformance: z
              .object({
                driver: z.string(),
                property: z.custom<PropertyName>(),
                against: z.string(),
                exempt: z.record(z.string(), z.string()),
              })
              .optional(),
          }),
        }),
      ),
    }),
  ),
})

/** One property of one driver against one tool and target. */
export interface Row {
  driver: string
  property: PropertyName
  against: string
  passed: boolean
}
/** One driver against one tool and target. */
export interface Column {
  driver: string
  against: string
  /** Properties that cannot be asked of it, and why. */
  exempt: { [property: string]: string }
}
export interface SuiteRun {
  rows: Row[]
  columns: Column[]
  /** Titles of suites that did not run, with the reason. */
  skipped: string[]
}

/** Runs the suite of one driver, or of all, in an environment; progress goes to stderr, so that stdout is the result. */
export async function runSuite(driver: string | null, env: NodeJS.ProcessEnv): Promise<SuiteRun> {
  const scratch = mkdtempSync(join(tmpdir(), 'trueup-conformance-'))
  try {
    const file = join(scratch, 'report.json')
    const which = driver === null ? 'test/conformance' : `test/conformance/${driver}.test.ts`
    const argv = ['run', which, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    const child = spawn('vitest', argv, { stdio: ['ignore', 2, 2], env })
    await new Promise((resolve) => child.on('close', resolve))
    return runOf(Report.parse(JSON.parse(readFileSync(file, 'utf8'))))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function runOf(report: z.infer<typeof Report>): SuiteRun {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const rows: Row[] = []
  const columns = new Map<string, Column>()
  for (const { status, meta } of tests) {
    if (!meta.conformance) continue
    const { driver, property, against, exempt } = meta.conformance
    rows.push({ driver, property, against, passed: status === 'passed' })
    columns.set(`${driver} ${against}`, { driver, against, exempt })
  }
  const skipped = tests
    .filter(({ status }) => status === 'pending' || status === 'skipped')
    .map(({ fullName }) => /conformance of .*?\(.*?\)/.exec(fullName)?.[0] ?? fullName)
  return { rows, columns: [...columns.values()], skipped: [...new Set(skipped)] }
}
