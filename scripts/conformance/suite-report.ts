import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { PropertyName } from '../../test/conformance/properties.ts'
import type { Column, ToolSet } from './results.ts'

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
export interface SuiteRun {
  rows: Row[]
  columns: Column[]
  /** Titles of suites that did not run, with the reason. */
  skipped: string[]
}
export interface SuiteRequest {
  /** Null runs all. */
  driver: string | null
  set: ToolSet
  env: NodeJS.ProcessEnv
  /** Runs only the suites against tools with this in their name: the driver's others are no newer. */
  only?: string | undefined
}

/** What one property may take, on a machine that does much else. */
const LONGEST_MS = 10 * 60_000

/** Runs the suite of one driver, or of all, in an environment; progress goes to stderr, so that stdout is the result. */
export async function runSuite({ driver, set, env, only }: SuiteRequest): Promise<SuiteRun> {
  const scratch = mkdtempSync(join(tmpdir(), 'trueup-conformance-'))
  try {
    const file = join(scratch, 'report.json')
    const which = driver === null ? 'test/conformance' : `test/conformance/${driver}.test.ts`
    const argv = ['run', which, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    // What is asked is whether a property holds, and not how fast this machine is.
    argv.push(`--testTimeout=${LONGEST_MS}`, `--hookTimeout=${LONGEST_MS}`)
    if (only !== undefined) argv.push('--testNamePattern', only)
    const child = spawn('vitest', argv, { stdio: ['ignore', 2, 2], env })
    await new Promise((resolve) => child.on('close', resolve))
    return runOf(Report.parse(JSON.parse(readFileSync(file, 'utf8'))), set)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function runOf(report: z.infer<typeof Report>, set: ToolSet): SuiteRun {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const day = new Date().toISOString().slice(0, 10)
  const rows: Row[] = []
  const columns = new Map<string, Column>()
  for (const { status, meta } of tests) {
    if (!meta.conformance) continue
    const { driver, property, against, exempt } = meta.conformance
    const passed = status === 'passed'
    rows.push({ driver, property, against, passed })
    const column = columns.get(`${driver} ${against}`) ?? { driver, set, against, day, exempt, passed: {} }
    columns.set(`${driver} ${against}`, { ...column, passed: { ...column.passed, [property]: passed } })
  }
  // Suites that were not asked for are skipped, too; the others say in their title what is missing.
  const skipped = tests.flatMap(({ fullName }) => /conformance of \S+ \(skipped: .*?\)/.exec(fullName)?.[0] ?? [])
  return { rows, columns: [...columns.values()], skipped: [...new Set(skipped)] }
}
