import { writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { ProcessResult } from '../../../lib/process/supervise.ts'
import type { DriverContext } from '../../driver.ts'
import { onEachHost } from '../../hosts/each.ts'
import { type HostPlan, planOfHosts } from '../../hosts/outcomes.ts'
import { checkVersion } from '../../tools/check-version.ts'
import { checkSupported } from '../../tools/supported.ts'
import { checkEnded, toolFailed } from '../../tools/verdict.ts'
import { redactionFor, secretInputs } from '../../values/redaction.ts'
import { ignoredProperties, planOf } from './changes.ts'
import type { ChefConfig } from '../config.ts'
import type { ChefReport } from '../tool/report.ts'
import { openSession, prepare, type Session } from '../session.ts'

/** By host: properties that are not to be written. */
export type Kept = { [host: string]: { [resource: string]: string[] } }
export const keptPlan = (context: DriverContext<unknown>): string => join(context.scratch, 'chef-plan.json')

/** A why-run on every host: what Chef would change, from the events of the run and never from its exit code. */
export async function plan(context: DriverContext<ChefConfig>): Promise<DriverPlan> {
  if (context.destroy) throw noDestroy(context)
  const prepared = await prepare(context)
  const kept: Kept = {}
  const outcomes = await onEachHost(context, async (host): Promise<HostPlan & { tool: string; version: string }> => {
    const session = await openSession(context, host, prepared)
    const doing = `planning stack "${context.stack.name}"${host.name === '' ? '' : ` on host "${host.name}"`}`
    const { result, report } = await session.run({ whyRun: true, ignored: {}, graceMs: 5_000 })
    checkEnded(doing, result)
    if (report === null || !report.success) throw runError(context, session, { doing, result, report })
    const version = report.chef_version ?? 'unknown'
    const tool = posix.basename(session.client)
    const client = { name: tool, path: host.name || session.client, version }
    checkSupported(client)
    checkVersion(client, context.toolVersion)
    kept[host.name] = ignoredProperties(context, host, report)
    return { ...planOf(context, host, report), tool, version }
  })
  await writeFile(keptPlan(context), JSON.stringify(kept), { mode: 0o600 })
  const found = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]))
  return {
    ...planOfHosts(outcomes),
    outputs: {},
    // The oldest decides: its major version enters the digest.
    toolVersions: { [found[0]!.tool]: found.map(({ version }) => version).toSorted()[0]! },
  }
}

interface Ended {
  doing: string
  result: ProcessResult
  report: ChefReport | null
}

/** Why a run came to nothing: another run's lock, a licence, a source that does not compile, a resource. */
export function runError(
  context: DriverContext<unknown>,
  session: Session,
  { doing, result, report }: Ended,
): TrueupError {
  const said = `${report?.error ?? ''}\n${result.stdout}\n${result.stderr}`
  if (/RunLockTimeout|Unable to acquire lock/.test(said)) {
    return new TrueupError('STATE_LOCKED', {
      doing,
      why: `another run of Chef holds the host's lock${/for (\S+chef-client-running\.pid)/.exec(said)?.[1]?.replace(/^/, ': ') ?? ''}`,
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
  if (report !== null && !report.converging && report.error) {
    const { file, line } = placeOf(report, session)
    const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `
    return new TrueupError('SOURCE_INVALID', {
      doing,
      why: redact(`${place}${report.error}`),
      details: { ...(file !== undefined && { file }), ...(line !== undefined && { line }) },
    })
  }
  const failed = report?.resources.find(({ status }) => status === 'failed')
  if (failed !== undefined) {
    return new TrueupError('TOOL_FAILED', { doing, why: redact(`${failed.resource}: ${failed.error ?? 'it failed'}`) })
  }
  return report?.error
    ? new TrueupError('TOOL_FAILED', { doing, why: redact(report.error) })
    : toolFailed(doing, result)
}

/** The first place of the repository in the error and its trace. */
function placeOf(report: ChefReport, { repositoryPath }: Session): { file?: string; line?: number } {
  // The trace first: an error quotes objects, and with them other places. One of syntax has its place only in its words.
  for (const text of [...(report.error_trace ?? []), report.error ?? '']) {
    for (const [, path, line] of text.matchAll(/(\/[^\s:]+\.(?:rb|json|erb)):(\d+)/g)) {
      const file = repositoryPath(path!)
      if (!file.startsWith('/')) return { file, line: Number(line) }
    }
  }
  const file = report.failed_file ? repositoryPath(report.failed_file) : undefined
  return file === undefined || file.startsWith('/') ? {} : { file }
}

const noDestroy = ({ stack }: DriverContext<unknown>): TrueupError =>
  new TrueupError('CONFIG_INVALID', {
    doing: `planning the removal of stack "${stack.name}"`,
    why: 'Chef cannot remove what a recipe made',
    next: 'Declare the delete actions, deploy that, and then remove the stack with `onRemove: keep`.',
  })
