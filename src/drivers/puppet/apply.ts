import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import type { AppliedResource, ApplyResult, DriverPlan, Finding, ResourceChange } from '../../domain/plan.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import { onEachHost } from '../hosts/each.ts'
import { addressPrefix } from '../hosts/host.ts'
import { unreachedFindings } from '../hosts/unreached.ts'
import { redactionFor, secretInputs } from '../values/redaction.ts'
import { appliedResources, linesOf } from './applied.ts'
import { secretsIn } from './catalog.ts'
import type { PuppetConfig } from './config.ts'
import { readLogs, readReport } from './dry-run.ts'
import { withLocalSources } from './local-sources.ts'
import { type Kept, keptPlan } from './plan.ts'
import { APPLY, LOCKED } from './scripts.ts'
import { openSession, prepare, type Prepared, type Session } from './session.ts'

/** From the first signal Puppet ends the resource it is at, and gives its lock back. */
const GRACE_MS = 15_000

interface HostResult {
  status: ApplyResult['status'] | 'unchanged'
  resources: AppliedResource[]
  findings: Finding[]
  /** Thrown where no host was changed. */
  error?: TrueupError
}

/** Applies the catalogs of the preceding plan, on the hosts that have changes in it. */
export async function apply(context: DriverContext<PuppetConfig>, plan: DriverPlan): Promise<ApplyResult> {
  const kept = await readKept(context)
  if (plan.changes.length === 0) return { status: 'applied', resources: [], outputs: {}, findings: [] }
  const prepared = await prepare(context)
  const byHost = new Map(Object.keys(kept).map((name) => [name, changesOf(plan, name)]))
  const outcomes = await onEachHost(context, async (host): Promise<HostResult> => {
    const changes = byHost.get(host.name) ?? []
    const its = kept[host.name]
    if (changes.length === 0 || its === undefined) return { status: 'unchanged', resources: [], findings: [] }
    const session = await openSession(context, host, prepared)
    return await applyOn(context, session, { kept: its, changes, prepared })
  })
  const results = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]))
  const skipped = outcomes.flatMap(({ name, error }) =>
    error === undefined ? [] : (byHost.get(name) ?? []).map((change) => skippedBecause(change, error.text.why)),
  )
  const touched = results.filter(({ status, error }) => status !== 'unchanged' && error === undefined)
  const refused = results.find(({ error }) => error !== undefined)?.error
  if (touched.length === 0 && refused !== undefined) throw refused
  const worst = ['canceled', 'failed', 'applied'].find((status) => touched.some((each) => each.status === status))
  const incomplete = skipped.length > 0 || refused !== undefined
  return {
    status: worst === 'canceled' ? 'canceled' : incomplete ? 'failed' : ((worst ?? 'applied') as ApplyResult['status']),
    resources: [...results.flatMap(({ resources }) => resources), ...skipped],
    outputs: {},
    findings: [...results.flatMap(({ findings }) => findings), ...unreachedFindings(outcomes)],
  }
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

const changesOf = (plan: DriverPlan, name: string): ResourceChange[] =>
  plan.changes.filter(({ address }) => name === '' || address.startsWith(addressPrefix({ name })))

const skippedBecause = ({ address, actions }: ResourceChange, message: string): AppliedResource => ({
  address,
  actions,
  status: 'skipped',
  message,
})

interface Work {
  kept: Kept
  changes: ResourceChange[]
  prepared: Prepared
}

async function applyOn(context: DriverContext<PuppetConfig>, session: Session, work: Work): Promise<HostResult> {
  const { host } = session
  const { catalog, settings, directory } = work.kept
  const doing = `applying stack "${context.stack.name}"${host.name === '' ? '' : ` on host "${host.name}"`}`
  const redaction = redactionFor(context, [...secretInputs(context), ...secretsIn(catalog)])
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
