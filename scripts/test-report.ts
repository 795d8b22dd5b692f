import { relative } from 'node:path'
import { z } from 'zod'

/** What vitest's reporter for JSON says, as far as it is read here. */
export const Report = z.object({
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
export type Report = z.infer<typeof Report>
type FileResult = Report['testResults'][number]

/** A file that cannot be loaded, or whose set-up fails, has no tests that failed, and counts as one. */
export function countsOf(report: Report): { passed: number; failed: number; skipped: number } {
  const statuses = report.testResults.flatMap((file) => file.assertionResults.map((test) => test.status))
  const failed = statuses.filter((status) => status === 'failed').length
  const passed = statuses.filter((status) => status === 'passed').length
  const broken = failedFiles(report).filter((file) => failuresIn(file).length === 0).length
  return { passed, failed: failed + broken, skipped: statuses.length - passed - failed }
}

/** The files of which anything failed. */
export function failedFiles(report: Report): FileResult[] {
  return report.testResults.filter((file) => file.status === 'failed')
}

/** The report with the files of a second run in place of those of the first. */
export function withSecondRun(first: Report, second: Report): Report {
  const anew = new Map(second.testResults.map((file) => [file.name, file]))
  return { testResults: first.testResults.map((file) => anew.get(file.name) ?? file) }
}

/** What failed, a text for each test, and for each file whose set-up failed. */
export function failureTexts(files: readonly FileResult[]): string[] {
  return files.flatMap((file) => {
    const name = relative('.', file.name)
    const failed = failuresIn(file)
    if (failed.length === 0) return [`${name}: ${firstLines(file.message || 'its set-up; see above')}`]
    return failed.map((test) => `${name} > ${test.fullName}\n  ${firstLines(test.failureMessages.join('\n'))}`)
  })
}

/** Full names of the tests that were skipped. */
export function skippedNames(report: Report): string[] {
  return report.testResults.flatMap((file) =>
    file.assertionResults.filter(({ status }) => !['passed', 'failed'].includes(status)).map((test) => test.fullName),
  )
}

/** Where the time went: the files that took longest, in seconds. */
export function slowestFiles(report: Report): { name: string; seconds: number }[] {
  return report.testResults
    .map((file) => ({ name: relative('.', file.name), seconds: (file.endTime - file.startTime) / 1000 }))
    .filter((file) => file.seconds >= 10)
    .sort((a, b) => b.seconds - a.seconds)
}

function failuresIn(file: FileResult): FileResult['assertionResults'] {
  return file.assertionResults.filter((test) => test.status === 'failed')
}

function firstLines(message: string): string {
  return message.split('\n').slice(0, 12).join('\n  ').slice(0, 1500)
}
