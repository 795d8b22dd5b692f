import { writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { onEachHost } from '../../hosts/each.ts'
import { filePlaces } from '../../hosts/file-places.ts'
import { type HostPlan, planOfHosts } from '../../hosts/outcomes.ts'
import { checkVersion } from '../../tools/check-version.ts'
import { checkSupported } from '../../tools/supported.ts'
import { checkEnded } from '../../tools/verdict.ts'
import { ignoredProperties, planOf } from './changes.ts'
import type { ChefConfig } from '../config.ts'
import { filesOf } from '../tool/report.ts'
import { openSession, prepare } from '../session.ts'
import { definiteError, runError } from './run-error.ts'

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
    const wrong = definiteError(context, session, report, doing)
    if (wrong !== null) throw wrong
    const version = report.chef_version ?? 'unknown'
    const tool = posix.basename(session.client)
    const client = { name: tool, path: host.name || session.client, version }
    checkSupported(client)
    checkVersion(client, context.toolVersion)
    kept[host.name] = ignoredProperties(context, host, report)
    const places = await filePlaces(host, filesOf(report))
    return { ...planOf(context, host, report, session.repositoryPath), places, tool, version }
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

const noDestroy = ({ stack }: DriverContext<unknown>): TrueupError =>
  new TrueupError('CONFIG_INVALID', {
    doing: `planning the removal of stack "${stack.name}"`,
    why: 'Chef cannot remove what a recipe made',
    next: 'Declare the delete actions, deploy that, and then remove the stack with `onRemove: keep`.',
  })
