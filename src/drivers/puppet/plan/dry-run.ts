import { posix } from 'node:path'
import { compileIgnore } from '../../../domain/plans/ignore.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { ProcessResult } from '../../../lib/process/supervise.ts'
import type { DriverContext } from '../../driver.ts'
import { addressPrefix } from '../../hosts/host.ts'
import { checkEnded, toolFailed } from '../../tools/verdict.ts'
import { type Catalog, parseCatalog, withoutIgnored } from '../source/catalog.ts'
import type { PuppetConfig } from '../config.ts'
import { isMissing, type LogEntry, parseLogs, parseReport, type Report } from '../tool/report.ts'
import { type HOST_SETTINGS, PLAN } from '../tool/scripts.ts'
import { placeOf } from '../tool/source-error.ts'
import { withLocalSources } from '../source/local-sources.ts'
import type { Session } from '../session.ts'

/** A catalog of 10,000 files with their contents is some 50 MB; a report is smaller. */
const MAX_BYTES = 128 * 1024 * 1024

type HostSetting = (typeof HOST_SETTINGS)[number]

/** What a dry run on one host found. */
export interface DryRun {
  /** What would be applied: ignored attributes are taken out. */
  catalog: Catalog
  report: Report
  /** Id of another run of Puppet that went on meanwhile, or null. */
  running: string | null
  settings: { [name in HostSetting]?: string }
}

/**
 * Compiles the catalog and compares it with the host, changing nothing. Where ignore rules cover attributes of it, these
 * are taken out and the rest is compared again: what remains is what an apply of this catalog will write.
 * @throws SOURCE_INVALID where the source does not compile; TOOL_FAILED, CANCELED
 */
export async function dryRun(
  context: DriverContext<PuppetConfig>,
  session: Session,
  manifest: string,
): Promise<DryRun> {
  const compiling = ['--catalog_cache_terminus', 'json', posix.join(session.places.root, manifest)]
  const first = await noop(context, session, compiling)
  const compiled = parseCatalog(await readCatalog(session), doing(context, session))
  const prefix = addressPrefix(session.host)
  const absent = absentIn(first.report)
  const catalog =
    context.ignore.length === 0
      ? null
      : withoutIgnored(compiled, { prefix, ignored: compileIgnore(context.ignore), absent })
  const local = catalog === null ? null : withLocalSources(catalog, session.modules)
  // What cannot be taken out is named by the findings.
  if (catalog === null || local === null) return { ...first, catalog: compiled }
  await session.host.write('catalog.json', JSON.stringify(local))
  const second = await noop(context, session, ['--catalog', posix.join(session.host.directory, 'catalog.json')])
  return { ...second, catalog }
}

const absentIn = ({ resource_statuses }: Report): Set<string> =>
  new Set(
    Object.entries(resource_statuses)
      .filter(([, { events }]) => events.some((event) => event.property === 'ensure' && isMissing(event)))
      .map(([reference]) => reference),
  )

const doing = ({ stack }: DriverContext<unknown>, { host }: Session): string =>
  `planning stack "${stack.name}" with puppet${host.name === '' ? '' : ` on host "${host.name}"`}`

async function noop(
  context: DriverContext<PuppetConfig>,
  session: Session,
  what: string[],
): Promise<Omit<DryRun, 'catalog'>> {
  const { directory } = session.host
  const result = await session.run(
    ['sh', '-c', PLAN, 'sh', session.puppet, directory, 'apply', '--noop', ...session.arguments, ...what],
    { graceMs: 5_000 },
  )
  checkEnded(doing(context, session), result)
  const report = await readReport(session, doing(context, session))
  const logs = report?.logs ?? (await readLogs(session))
  if (report === null || (report.status === 'failed' && isAboutTheSource(report))) {
    throw sourceError(context, session, logs, result)
  }
  const settings = await session.host.read(`${directory}/settings`, 64 * 1024)
  return {
    report,
    running: /^trueup-running (\d+)$/m.exec(result.stdout)?.[1] ?? null,
    settings: Object.fromEntries(
      [...(settings?.toString('utf8') ?? '').matchAll(/^(\w+) = (\/.*)$/gm)].map(([, name, value]) => [name, value]),
    ),
  }
}

/** A dependency cycle fails the run before it has looked at any resource. */
const isAboutTheSource = ({ resource_statuses }: Report): boolean =>
  !Object.values(resource_statuses).some(({ failed, failed_to_restart }) => failed || failed_to_restart)

/** The run report, or null where the run did not come so far. */
export async function readReport({ host }: Session, what: string): Promise<Report | null> {
  const text = await host.read(`${host.directory}/var/state/last_run_report.yaml`, MAX_BYTES)
  return text === null ? null : parseReport(text.toString('utf8'), what)
}

export async function readLogs({ host }: Session): Promise<LogEntry[]> {
  const text = await host.read(`${host.directory}/log.json`, MAX_BYTES)
  return text === null ? [] : parseLogs(text.toString('utf8'))
}

async function readCatalog({ host }: Session): Promise<string> {
  // It bears the name of the node, which only Puppet knows.
  const result = await host.run({
    argv: ['sh', '-c', 'cat "$1"/var/client_data/catalog/*.json', 'sh', host.directory],
    quiet: true,
    maxOutputBytes: MAX_BYTES,
  })
  checkEnded('reading the catalog', result)
  if (result.exitCode !== 0) throw toolFailed('reading the catalog', result)
  return result.stdout
}

function sourceError(
  context: DriverContext<PuppetConfig>,
  session: Session,
  logs: readonly LogEntry[],
  result: ProcessResult,
): TrueupError {
  const errors = logs.filter(
    ({ level, source }) => /^(err|crit|alert|emerg)/.test(level) && (source ?? '') !== 'Facter',
  )
  const [first] = errors
  if (first === undefined || first.message.startsWith('Could not run:'))
    return toolFailed(doing(context, session), result)
  const { message, file, line } = placeOf(first, session.repositoryPath)
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `
  return new TrueupError('SOURCE_INVALID', {
    doing: doing(context, session),
    why: `${place}${message}`,
    details: { ...(file !== undefined && { file }), ...(line !== undefined && { line }) },
  })
}
