import { matchesIgnore } from '../../../domain/plans/ignore.ts'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { addressPrefix, type Host } from '../../hosts/host.ts'
import type { Redaction } from '../../values/redaction.ts'
import type { DryRun } from './dry-run.ts'
import { placeOf } from '../tool/source-error.ts'

/** What a person should know of a dry run beyond its changes. */
export function runFindings(
  context: DriverContext<unknown>,
  host: Host,
  { report, catalog, running }: DryRun,
  redaction: Redaction,
  repositoryPath: (path: string) => string,
): Finding[] {
  const prefix = addressPrefix(host)
  const on = host.name === '' ? '' : `${host.name}: `
  const findings: Finding[] = []
  for (const entry of report.logs) {
    if (entry.source === 'Facter' || !/^(warning|err|crit|alert|emerg)$/.test(entry.level)) continue
    const { message, file, line } = placeOf(entry, repositoryPath)
    const resource = resourceOf(entry.source)
    findings.push({
      severity: 'warning',
      ...(entry.level !== 'warning' && { code: 'resource_failed' }),
      message: redaction.text(`${on}${resource === null ? '' : `${resource}: `}${message}`),
      ...(file !== undefined && { path: file }),
      ...(file !== undefined && line !== undefined && { line }),
    })
  }
  const refreshed = report.logs
    .filter(({ message }) => message.startsWith("Would have triggered 'refresh'"))
    .map(({ source }) => resourceOf(source))
    .filter((resource) => resource !== null)
  for (const resource of refreshed) {
    findings.push({ severity: 'info', code: 'refresh', message: `${prefix}${resource} would be refreshed` })
  }
  const guarded = catalog.resources.filter(
    ({ type, parameters }) => type === 'Exec' && (parameters.onlyif !== undefined || parameters.unless !== undefined),
  )
  if (guarded.length > 0) {
    const names = guarded.map(({ title }) => `Exec[${title}]`).join(', ')
    findings.push({
      severity: 'info',
      code: 'guards_ran',
      message: redaction.text(`${on}Puppet runs onlyif and unless also in a dry run; they did for ${names}`),
    })
  }
  if (running !== null) {
    findings.push({
      severity: 'warning',
      code: 'run_in_progress',
      message: `${on}another run of Puppet (process ${running}) went on meanwhile: the plan may show a state between`,
    })
  }
  return [...findings, ...unwrittenIgnores(context, prefix, report)]
}

/** Rules for which there was nothing to take out of the catalog (a default of the type, a generated resource). */
function unwrittenIgnores({ ignore }: DriverContext<unknown>, prefix: string, report: DryRun['report']): Finding[] {
  if (ignore.length === 0) return []
  return Object.entries(report.resource_statuses).flatMap(([reference, { events }]) =>
    events
      .filter(
        ({ status, property }) => status === 'noop' && matchesIgnore(ignore, `${prefix}${reference}`, property ?? ''),
      )
      .map(({ property }) => ({
        severity: 'warning' as const,
        code: 'ignore_not_written',
        message: `${prefix}${reference}: "${property}" is ignored in the plan but would be written`,
      })),
  )
}

/** `/Stage[main]/Nginx/File[/etc/x]/content` → `File[/etc/x]`; null for what is about no resource. */
export function resourceOf(source: string | null | undefined): string | null {
  const found = /(?:^|\/)((?:[A-Z]\w*)(?:::[A-Z]\w*)*\[.+\])(?:\/\w+)?$/.exec(
    (source ?? '').replace(/^\/Stage\[[^\]]*\](?:\/[A-Z][\w:]*(?!\[))*(?=\/)/, ''),
  )
  const name = found?.[1]
  return name === undefined || /^(Class|Stage)\[/.test(name) ? null : lastResource(name)
}

/** Containers come before their members: `Nginx::Site[a]/File[/etc/b]`. */
function lastResource(path: string): string {
  let depth = 0
  let start = 0
  for (let at = 0; at < path.length; at++) {
    if (path[at] === '[') depth++
    else if (path[at] === ']') depth--
    else if (path[at] === '/' && depth === 0) start = at + 1
  }
  return path.slice(start)
}
