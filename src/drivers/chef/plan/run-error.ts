import { TrueupError } from '../../../lib/errors/error.ts'
import type { ProcessResult } from '../../../lib/process/supervise.ts'
import type { DriverContext } from '../../driver.ts'
import { toolFailed } from '../../tools/verdict.ts'
import { redactionFor, secretInputs } from '../../values/redaction.ts'
import { before, type Place, placeOfEntry, placeOfRun } from '../tool/place.ts'
import type { ChefReport, Entry } from '../tool/report.ts'
import type { Session } from '../session.ts'

export interface Ended {
  doing: string
  result: ProcessResult
  report: ChefReport | null
}

/** Why a run came to nothing: another run's lock, a licence, a source that does not compile, a resource. */
export function runError(
  context: DriverContext<unknown>,
  { repositoryPath }: Session,
  { doing, result, report }: Ended,
): TrueupError {
  const said = `${report?.error ?? ''}\n${result.stdout}\n${result.stderr}`
  if (/RunLockTimeout|Unable to acquire lock/.test(said)) {
    const holder = /for (\d+) to release/.exec(said)?.[1]
    return new TrueupError('STATE_LOCKED', {
      doing,
      why: `another run of Chef${holder === undefined ? '' : ` (process ${holder} of the host)`} holds the host's lock`,
      next: 'Wait for it to end and try again, or raise `lockTimeout`.',
    })
  }
  if (result.exitCode === 172 || /license.*(accept|acceptance)/i.test(said)) {
    return new TrueupError('TOOL_FAILED', {
      doing,
      why: "Chef's licence is not accepted on the host",
      next: 'Accept it: set the variable CHEF_LICENSE to "accept-no-persist" and list it under `variables:`; or use Cinc Client.',
    })
  }
  const redact = redactionFor(context, secretInputs(context)).text
  const failed = report?.resources.find((entry) => entry.status === 'failed' && !entry.why_run)
  if (report !== null && failed === undefined && !report.converging && report.error) {
    const place = placeOfRun(report, repositoryPath)
    return sourceError(doing, [{ place, why: redact(unresolved(report) ?? report.error) }])
  }
  if (failed !== undefined) {
    const place = before(placeOfEntry(failed, repositoryPath))
    return new TrueupError('TOOL_FAILED', {
      doing,
      why: redact(`${place}${failed.resource}: ${failed.error ?? 'it failed'}`),
    })
  }
  return report?.error
    ? new TrueupError('TOOL_FAILED', { doing, why: redact(report.error) })
    : toolFailed(doing, result)
}

/** What the why-run met that a run will meet too: a template that is wrong, a file that the cookbook does not have. */
export function definiteError(
  context: DriverContext<unknown>,
  { repositoryPath }: Session,
  report: ChefReport,
  doing: string,
): TrueupError | null {
  const redact = redactionFor(context, secretInputs(context)).text
  const wrong = report.resources.filter((entry) => entry.status === 'failed' && entry.definite && !entry.ignored)
  // A custom resource fails with the error of one of its own: that one says where.
  const innermost = wrong.filter((entry, index) => (wrong[index + 1]?.depth ?? 0) <= entry.depth)
  if (innermost.length === 0) return null
  return sourceError(
    doing,
    innermost.map((entry: Entry) => ({
      place: placeOfEntry(entry, repositoryPath),
      why: redact(`${entry.resource}: ${entry.error ?? 'it failed'}`),
    })),
  )
}

function sourceError(doing: string, wrong: { place: Place | null; why: string }[]): TrueupError {
  const [first] = wrong
  return new TrueupError('SOURCE_INVALID', {
    doing,
    why: wrong.map(({ place, why }) => `${before(place)}${why}`).join('; '),
    details: {
      ...(first!.place !== null && { file: first!.place.file }),
      ...(first!.place?.line !== undefined && { line: first!.place.line }),
    },
  })
}

/** Chef's own error is `412 "Precondition Failed"`. */
function unresolved({ unresolved: answer }: ChefReport): string | null {
  if (answer === null || answer === undefined) return null
  const missing = [...(answer.non_existent_cookbooks ?? []), ...(answer.cookbooks_with_no_versions ?? [])]
  const what = missing.length > 0 ? `no cookbook for ${missing.join(', ')}` : (answer.message ?? 'no solution')
  return `the dependencies of the cookbooks cannot be met from the stack's cookbook directories: ${what}`
}
