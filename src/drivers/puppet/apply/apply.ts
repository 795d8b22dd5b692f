import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import type { ApplyResult, DriverPlan, ResourceChange } from '../../../domain/plans/plan.ts'
import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { onEachHost } from '../../hosts/each.ts'
import { addressPrefix } from '../../hosts/host.ts'
import { changesOn, hasWork, type HostResult, resultOfHosts, skippedBecause, UNCHANGED } from '../../hosts/outcomes.ts'
import { redactionFor, secretInputs } from '../../values/redaction.ts'
import { appliedResources, linesOf } from './applied.ts'
import { secretsIn } from '../source/catalog.ts'
import type { PuppetConfig } from '../config.ts'
import { readLogs, readReport } from '../plan/dry-run.ts'
import { withLocalSources } from '../source/local-sources.ts'
import { type Kept, keptPlan } from '../plan/plan.ts'
import { APPLY, LOCKED } from '../tool/scripts.ts'
import { openSession, prepare, type Prepared, type Session } from '../session.ts'

/** From the first signal Puppet ends the resource it is at, and gives its lock back. */
const GRACE_MS = 15_000

/** Applies the catalogs of the preceding plan, on the hosts that have work in it. */
export async function apply(context: DriverContext<PuppetConfig>, plan: DriverPlan): Promise<ApplyResult> {
  const kept = await readKept(context)
  const prepared = await prepare(context)
  const outcomes = await onEachHost(context, async (host): Promise<HostResult> => {
    const changes = changesOn(plan, host.name)
    const its = kept[host.name]
    if (!hasWork(plan, host.name) || its === undefined) return UNCHANGED
    const session = await openSession(context, host, prepared)
    return await applyOn(context, session, { kept: its, changes, prepared })
  })
  return resultOfHosts(outcomes, plan)
}

async function readKept(context: DriverContext<unknown>): Promise<{ [host: string]: Kept }> {
  const sealed = await readFile(keptPlan(context)).catch((cause: unknown) => {
    throw new TrueupError('PLAN_STALE', {
      doing: `applying stack "${context.stack.name}"`,
      why: 'the catalog of this run is gone',
      cause,
    })
  })
  return JSON.parse(context.open(sealed).toString('utf8')) as { [host: string]: Kept }
}

interface Work {
  kept: Kept
  changes: ResourceChange[]
  prepared: Prepared
}

async function applyOn(context: DriverContext<PuppetConfig>, session: Session, work: Work): Promise<HostResult> {
  const { host } = session
  const { catalog, settings, directory } = work.kept
  const doing = `applying stack "${context.stack.name}"${host.name === '' ? '' : ` on host "${host.name}"`}`
  const secrets = [...secretInputs(context), ...session.decrypted.secrets, ...secretsIn(catalog)]
  const redaction = redactionFor(context, secrets)
  const local = withLocalSources(catalog, session.modules)
  if (local !== null) {
    await host.write('catalog.json', JSON.stringify(local).replaceAll(directory, host.directory))
  }
  const kept = [
    ...(settings.clientbucketdir === undefined ? [] : ['--clientbucketdir', settings.clientbucketdir]),
    ...(settings.statefile === undefined ? [] : ['--statefile', settings.statefile]),
  ]
  const lines: string[] = []
  try {
    const result = await session.run(
      [
        'sh',
        '-c',
        APPLY,
        'sh',
        session.puppet,
        host.directory,
        settings.agent_catalog_run_lockfile ?? '',
        String(context.config.lockTimeout),
        'apply',
        '--detailed-exitcodes',
        ...session.arguments,
        ...kept,
        // A catalog that needs modules of the host cannot be applied from a file: it is compiled anew.
        ...(local === null
          ? [posix.join(session.places.root, work.prepared.source.manifest)]
          : ['--catalog', posix.join(host.directory, 'catalog.json')]),
      ],
      { graceMs: GRACE_MS, onLine: (line) => lines.push(line) },
    )
    if (result.exitCode === LOCKED) throw locked(doing, result.stdout)
    if (result.canceled || result.timedOut) {
      const resources = linesOf(lines, work.changes, addressPrefix(host), redaction.text)
      return { status: 'canceled', resources, findings: [] }
    }
    const report = await readReport(session, doing)
    const logs = report?.logs ?? (await readLogs(session))
    const { resources, findings } = appliedResources(
      { ...work, catalog, prefix: addressPrefix(host), redact: redaction.text, path: session.repositoryPath },
      report,
      logs,
    )
    // 1: it did not run; 4 and 6: failures. The report says which; the code only has a second voice.
    const failed = report === null || report.status === 'failed' || ![0, 2].includes(result.exitCode ?? 1)
    return {
      status: failed || resources.some(({ status }) => status === 'failed') ? 'failed' : 'applied',
      resources,
      findings,
    }
  } catch (thrown) {
    const error = asTrueupError(thrown, doing)
    if (error.code === 'STATE_LOCKED')
      return {
        status: 'unchanged',
        resources: work.changes.map((change) => skippedBecause(change, error.text.why)),
        findings: [],
        error,
      }
    // It may have begun: what it said so far is what is known.
    return {
      status: 'failed',
      resources: linesOf(lines, work.changes, addressPrefix(host), redaction.text),
      findings: [{ severity: 'error', code: error.code.toLowerCase(), message: `${error.message}. ${error.next}` }],
    }
  }
}

function locked(doing: string, stdout: string): TrueupError {
  const [, pid = '', command = ''] = /^trueup-locked (\d*) ?(.*)$/m.exec(stdout) ?? []
  return new TrueupError('STATE_LOCKED', {
    doing,
    why: `another run of Puppet holds the host's lock: process ${pid}${command === '' ? '' : ` (${command.trim()})`}`,
    next: 'Wait for it to end and try again, or raise `lockTimeout`.',
  })
}
