import type { Finding } from '../../../domain/plans/plan.ts'
import { didYouMean } from '../../../domain/suggest.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { referencesOf, resourcesIn } from '../source/expressions.ts'
import { declaredIn } from '../source/parameters.ts'
import type { SourceTemplate } from '../source/read.ts'

/** What a template may have at its top ("Template sections" of the user guide), and what SAM adds. */
const SECTIONS = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Globals',
  'Hooks',
  'Mappings',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
  'Rules',
  'Transform',
]

/** Faults that AWS would only report when it is asked, each with its line. */
export function checkTemplate(template: SourceTemplate): Finding[] {
  const { value } = template
  const findings: Finding[] = []
  const report = (severity: Finding['severity'], at: readonly (string | number)[], message: string): void => {
    const line = template.lineOf(at)
    findings.push({ severity, message, path: template.path, ...(line !== undefined && { line }) })
  }
  for (const { message } of template.document.warnings)
    findings.push({ severity: 'warning', message, path: template.path })
  for (const name of Object.keys(value)) {
    if (!SECTIONS.includes(name))
      report('error', [name], `"${name}" is no section of a template${didYouMean(name, SECTIONS)}`)
  }
  const resources = resourcesIn(value)
  if (resources.length === 0 && !JSON.stringify(value['Resources'] ?? {}).includes('Fn::')) {
    report('error', ['Resources'], 'the template has no resources')
  }
  const names = new Set([...Object.keys(declaredIn(value)), ...resources.map(([id]) => id)])
  // Macros and transforms make resources of their own.
  const complete = value['Transform'] === undefined && !/"Fn::(ForEach|Transform)/.test(JSON.stringify(value))
  for (const [logicalId, resource] of resources) {
    const at = ['Resources', logicalId]
    if (!/^[A-Za-z0-9]+$/.test(logicalId))
      report('error', at, `"${logicalId}": a logical id has letters and digits only`)
    if (declaredIn(value)[logicalId] !== undefined)
      report('error', at, `"${logicalId}" is also the name of a parameter`)
    if (typeof resource['Type'] !== 'string') report('error', at, `resource ${logicalId} has no Type`)
    if (!complete) continue
    for (const name of unresolved(resource, names)) {
      report(
        'error',
        at,
        `resource ${logicalId} refers to "${name}", which is neither a resource nor a parameter${didYouMean(name, names)}`,
      )
    }
  }
  for (const [name, output] of Object.entries((value['Outputs'] ?? {}) as JsonObject)) {
    if (name.startsWith('Fn::')) continue
    const at = ['Outputs', name]
    const inner = output !== null && typeof output === 'object' && !Array.isArray(output) ? output : {}
    if (inner['Value'] === undefined) report('error', at, `output ${name} has no Value`)
    if (!complete) continue
    for (const missing of unresolved(inner, names)) {
      report(
        'error',
        at,
        `output ${name} refers to "${missing}", which is neither a resource nor a parameter${didYouMean(missing, names)}`,
      )
    }
  }
  return findings
}

function unresolved(value: JsonObject, names: ReadonlySet<string>): string[] {
  const dependencies = [value['DependsOn'] ?? []].flat().filter((one): one is string => typeof one === 'string')
  const given = substitutions(value)
  return [...new Set([...referencesOf(value), ...dependencies])].filter(
    (name) => name !== '' && !names.has(name) && !name.startsWith('AWS::') && !given.has(name),
  )
}

/** Names that a `Sub` with a map brings along itself. */
function substitutions(value: Json, found = new Set<string>()): Set<string> {
  if (value === null || typeof value !== 'object') return found
  for (const [name, inner] of Object.entries(value)) {
    const map = name === 'Fn::Sub' && Array.isArray(inner) ? inner[1] : undefined
    if (map !== null && typeof map === 'object') for (const key of Object.keys(map)) found.add(key.split('.')[0] ?? '')
    substitutions(inner as Json, found)
  }
  return found
}
