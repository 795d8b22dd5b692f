import { compileIgnore } from '../../../domain/plans/ignore.ts'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { IgnoreRule } from '../../../domain/plans/ignore-rule.ts'
import { canonicalJson, type Json, type JsonObject } from '../../../lib/json.ts'
import type { ResourceDrift } from './drift.ts'
import type { Template } from '../template/parse.ts'
import { propertiesOf, resourcesIn } from '../source/expressions.ts'

/**
 * Writes ignore rules into the template that is sent, so that what they hide is not written either: an ignored property
 * gets its live value where it has drifted (CloudFormation then writes what is there), and otherwise stays as it was
 * deployed. Only whole properties and resources of the stack itself can be kept like that; findings name the rest.
 */
export function keepIgnored(
  template: Template,
  rules: readonly IgnoreRule[],
  facts: { deployed: JsonObject | null; drifts: readonly ResourceDrift[] },
): Finding[] {
  if (rules.length === 0 || facts.deployed === null) return []
  const isIgnored = compileIgnore(rules)
  const deployed = new Map(resourcesIn(facts.deployed))
  const findings: Finding[] = []
  for (const [logicalId, resource] of resourcesIn(template.value)) {
    const before = deployed.get(logicalId)
    if (before === undefined) continue
    const drift = facts.drifts.find(({ address }) => address === logicalId)
    const old = propertiesOf(before)
    const now = propertiesOf(resource)
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
      const path = ['Resources', logicalId, 'Properties', name]
      if (isIgnored(logicalId, name)) {
        const live = drift?.differences.some((one) => one.path[0] === name) ? drift.actual[name] : undefined
        const kept = live ?? old[name]
        if (canonicalJson(kept) !== canonicalJson(now[name])) template.set(path, kept)
        continue
      }
      const inside =
        drift?.differences.filter((one) => one.path[0] === name && isIgnored(logicalId, one.attribute)) ?? []
      for (const { path: steps, attribute } of inside) {
        const written = at(now, steps)
        const live = at(drift?.actual ?? {}, steps)
        if (isPlain(written) && live !== undefined) template.set([...path.slice(0, 3), ...steps], live)
        else findings.push(unwritten(logicalId, attribute))
      }
    }
  }
  return findings
}

const unwritten = (address: string, attribute: string): Finding => ({
  severity: 'warning',
  code: 'ignore_not_written',
  message: `${address}: ${attribute} is hidden from plans, but an apply that touches the resource writes it: it is part of an expression`,
})

function at(value: Json, steps: readonly (string | number)[]): Json | undefined {
  let inner: Json | undefined = value
  for (const step of steps) {
    if (inner === null || typeof inner !== 'object') return undefined
    inner = (inner as { [key: string | number]: Json })[step]
  }
  return inner
}

const isPlain = (value: Json | undefined): boolean =>
  value !== undefined && (value === null || typeof value !== 'object')
