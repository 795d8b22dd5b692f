import { expect, test } from 'vitest'
import { countsOf, failedFiles, failureTexts, type Report, withSecondRun } from './test-report.ts'

const file = (name: string, statuses: string[], status = statuses.includes('failed') ? 'failed' : 'passed') => ({
  name,
  status,
  startTime: 0,
  endTime: 1,
  message: status === 'failed' ? 'set-up broke' : '',
  assertionResults: statuses.map((each, n) => ({
    status: each,
    fullName: `test ${n}`,
    failureMessages: each === 'failed' ? ['wrong'] : [],
  })),
})
const report = (...testResults: Report['testResults']): Report => ({ testResults })

test('a file whose set-up fails counts as a failure, whatever else passed', () => {
  const result = report(file('a', ['passed', 'skipped']), file('b', [], 'failed'))
  expect(countsOf(result)).toEqual({ passed: 1, failed: 1, skipped: 1 })
  expect(failureTexts(failedFiles(result))).toEqual(['b: set-up broke'])
})

test('a second run takes the place of the first, file by file, whether better or not', () => {
  const first = report(file('a', ['passed', 'failed']), file('b', ['failed']), file('c', ['passed']))
  const second = report(file('a', ['passed', 'passed']), file('b', ['failed']))
  const both = withSecondRun(first, second)
  expect(countsOf(both)).toEqual({ passed: 3, failed: 1, skipped: 0 })
  expect(failedFiles(both).map(({ name }) => name)).toEqual(['b'])
})

test('a file that is missing from the second run stays as it was', () => {
  expect(countsOf(withSecondRun(report(file('a', ['failed'])), report()))).toMatchObject({ failed: 1 })
})
