import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { onEachHost } from '../../hosts/each.ts'
import { type HostPlan, planOfHosts } from '../../hosts/outcomes.ts'
import { filePlaces } from '../../hosts/file-places.ts'
import { workspaceFiles } from '../../hosts/workspace-files.ts'
import { planOf } from './changes.ts'
import type { PuppetConfig } from '../config.ts'
import { contentsOf } from './contents.ts'
import { dryRun, type DryRun } from './dry-run.ts'
import { openSession, prepare } from '../session.ts'
import { filesOf } from '../source/catalog.ts'
import { legacyFacts, WITHOUT_LEGACY_FACTS } from '../source/legacy-facts.ts'
import { checkPuppetVersion } from '../tool/tool.ts'

/** What an apply needs of the plan of one host. */
export interface Kept {
  catalog: DryRun['catalog']
  settings: DryRun['settings']
  /** The private directory it was compiled in, which its texts may name. */
  directory: string
}

/** Where catalogs wait between plan and apply, by host; sealed, since they hold every secret in clear. */
export const keptPlan = (context: DriverContext<unknown>): string => join(context.scratch, 'puppet-plan.sealed')

/** A dry run on every host: what Puppet would change, from its report and never from its exit code. */
export async function plan(context: DriverContext<PuppetConfig>): Promise<DriverPlan> {
  refuseDestroy(context)
  const prepared = await prepare(context)
  const modules = [
    ...prepared.source.modulepath.map((path) => join(context.workspace, path)),
    ...(prepared.installed === null ? [] : [prepared.installed]),
  ]
  const contents = contentsOf(modules)
  const kept: { [host: string]: Kept } = {}
  const outcomes = await onEachHost(context, async (host): Promise<HostPlan & { version: string }> => {
    const session = await openSession(context, host, prepared)
    const run = await dryRun(context, session, prepared.source.manifest)
    const version = run.report.puppet_version
    checkPuppetVersion(context, host.name || session.puppet, version)
    kept[host.name] = { catalog: run.catalog, settings: run.settings, directory: host.directory }
    const places = await filePlaces(host, filesOf(run.catalog))
    return { ...(await planOf(context, session, run, contents)), places, version }
  })
  await writeFile(keptPlan(context), context.seal(Buffer.from(JSON.stringify(kept))), { mode: 0o600 })
  const found = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]))
  const isNew = found.some(({ version }) => Number.parseInt(version, 10) >= WITHOUT_LEGACY_FACTS)
  const { read, list } = workspaceFiles(context)
  const together = planOfHosts(outcomes)
  return {
    ...together,
    findings: [...together.findings, ...(isNew ? await legacyFacts(prepared.source, read, list) : [])],
    outputs: {},
    // The oldest decides: its major version enters the digest.
    toolVersions: { puppet: found.map(({ version }) => version).toSorted()[0]! },
  }
}

function refuseDestroy({ destroy, stack }: DriverContext<unknown>): void {
  if (!destroy) return
  throw new TrueupError('CONFIG_INVALID', {
    doing: `planning the removal of stack "${stack.name}"`,
    why: 'Puppet cannot remove what a manifest made',
    next: 'Declare `ensure => absent`, deploy that, and then remove the stack with `onRemove: keep`.',
  })
}
