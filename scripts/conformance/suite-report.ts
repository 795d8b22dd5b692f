import { z } from 'zod'
import type { PropertyName } from '../../test/conformance/properties.ts'
import type { Column, ToolSet } from './results.ts'
import { runVitest } from './run-vitest.ts'

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

/** Runs the suite of one driver, or of all, in an environment. */
export async function runSuite({ driver, set, env, only }: SuiteRequest): Promise<SuiteRun> {
  const which = driver === null ? 'test/conformance' : `test/conformance/${driver}.test.ts`
  const more = only === undefined ? [] : ['--testNamePattern', only]
  return runOf(Report.parse(await runVitest(which, env, more)), set)
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
