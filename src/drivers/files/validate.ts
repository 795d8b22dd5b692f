import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { posix, relative } from 'node:path'
import type { Finding } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import type { FilesConfig } from './config.ts'
import { compileRules, matchAny } from './source/rules.ts'
import { type SourceEntry, templateMatcher, templateValues, walkSource } from './source/source.ts'
import { targetPath } from './host/target.ts'
import { problemsOf } from '../values/template.ts'

/** Checks source and configuration without looking at the host. */
export function validate(context: DriverContext<FilesConfig>): Promise<Finding[]> {
  const findings: Finding[] = []
  report(findings, () => targetPath(context))
  const entries = report(findings, () => walkSource(context)) ?? []
  const isExcluded = matchAny(context.config.exclude)
  const used = entries.filter(({ path }) => !isExcluded(path))
  if (entries.length > 0 && used.length === 0) {
    findings.push({ severity: 'warning', code: 'empty', message: '`exclude:` leaves nothing of the source' })
  }
  for (const entry of used) {
    if (entry.kind === 'symlink') checkLink(entry, context, findings)
    else checkTemplate(entry, context, findings)
  }
  checkRules(context.config, used, findings)
  return Promise.resolve(findings)
}

function report<T>(findings: Finding[], check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof TrueupError)) throw error
    findings.push({ severity: 'error', code: error.code, message: `${error.message}. ${error.next}` })
    return undefined
  }
}

/** A link is placed as it is. One that leaves the tree may be meant (sites-enabled) or an attempt to reach elsewhere. */
function checkLink(
  { path, origin, ...kept }: SourceEntry,
  context: DriverContext<FilesConfig>,
  findings: Finding[],
): void {
  const target = kept.target ?? readlinkSync(origin)
  const inside = !target.startsWith('/') && !posix.join(posix.dirname(path), target).startsWith('..')
  if (inside) return
  findings.push({
    severity: 'warning',
    code: 'link-leaves-source',
    message: `the symbolic link leads to ${target}, outside the source; it is placed as it is and never followed`,
    path: relative(context.workspace, origin),
  })
}

function checkTemplate({ path, origin }: SourceEntry, context: DriverContext<FilesConfig>, findings: Finding[]): void {
  const matched = templateMatcher(context.config)(path)
  const isTemplate =
    compileRules(context.config)(matched ? path.replace(/\.tmpl$/, '') : path, false).template ?? matched
  if (!isTemplate || lstatSync(origin).size > 1024 * 1024) return
  for (const { line, why } of problemsOf(readFileSync(origin, 'utf8'), templateValues(context))) {
    findings.push({
      severity: 'error',
      code: 'SOURCE_INVALID',
      message: why,
      path: relative(context.workspace, origin),
      line,
    })
  }
}

/** A rule that matches nothing is usually a misspelt path. */
function checkRules(config: FilesConfig, entries: readonly SourceEntry[], findings: Finding[]): void {
  for (const rule of config.rules.filter(({ match }) => !match.endsWith('/'))) {
    const matches = matchAny([rule.match])
    if (entries.some(({ path }) => matches(path) || matches(path.replace(/\.tmpl$/, '')))) continue
    findings.push({
      severity: 'warning',
      code: 'unused-rule',
      message: `the rule for ${rule.match} matches no file of the source`,
    })
  }
}
