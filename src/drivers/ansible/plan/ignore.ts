import { compileIgnore } from '../../../domain/plans/ignore.ts'
import type { Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import type { IgnoreRule } from '../../../domain/plans/ignore-rule.ts'
import type { Json } from '../../../lib/json.ts'
import type { Redaction } from '../../values/redaction.ts'
import { addressOf } from './changes.ts'
import type { ResultEvent } from '../tool/events.ts'

/** What the callback plugin changes in tasks before they run. */
export interface IgnoreOrders {
  /** Task → hosts on which it is left out, in a loop only for these items where there are some. */
  skip: { [key: string]: { host: string; items: Json[] | null }[] }
  /** Task → arguments that are set, or with null taken away. */
  arguments: { [key: string]: { [name: string]: Json } }
}

export const NO_IGNORES: IgnoreOrders = { skip: {}, arguments: {} }

/** Arguments of modules that a diff names alike, and without which the module leaves the thing as it is. */
const PLAIN_ARGUMENTS = new Set(['mode', 'owner', 'group'])

interface Touched {
  change: ResourceChange
  result: ResultEvent
  ignored: Set<string>
}

/**
 * Carries the ignore rules into what is written. A task of which everything on a host, or of one item of its loop, is
 * ignored is left out there; of a task that writes other things too, an ignored `mode`, `owner` or `group` is taken away.
 * What cannot be expressed so is a finding: Ansible cannot leave out one attribute of just any module.
 */
export function ignoreOrders(
  changes: readonly ResourceChange[],
  results: readonly ResultEvent[],
  rules: readonly IgnoreRule[],
  redaction: Redaction,
): { orders: IgnoreOrders; findings: Finding[] } {
  const orders: IgnoreOrders = { skip: {}, arguments: {} }
  const findings: Finding[] = []
  if (rules.length === 0) return { orders, findings }
  const touched = touchedBy(changes, results, rules, redaction)
  for (const [key, all] of Map.groupBy(touched, ({ result }) => result.key)) {
    const rest = all.filter((one) => !skipWhole(orders, key, one, all))
    for (const attribute of new Set(rest.flatMap(({ ignored }) => [...ignored]))) {
      const value = replacement(attribute)
      const agreed = rest.every(
        ({ ignored, change }) => ignored.has(attribute) || !change.attributes.some(({ path }) => path === attribute),
      )
      if (value !== undefined && agreed) (orders.arguments[key] ??= {})[value.name] = value.value
      else {
        for (const { change, ignored } of rest.filter((one) => one.ignored.has(attribute)))
          if (ignored.has(attribute)) findings.push(unwritten(change.address, attribute))
      }
    }
  }
  return { orders, findings }
}

function touchedBy(
  changes: readonly ResourceChange[],
  results: readonly ResultEvent[],
  rules: readonly IgnoreRule[],
  redaction: Redaction,
): Touched[] {
  const isIgnored = compileIgnore(rules)
  const byAddress = new Map(results.map((result) => [addressOf(result, redaction), result]))
  return changes.flatMap((change) => {
    const result = byAddress.get(change.address)
    if (result === undefined) return []
    const update = change.actions.includes('update')
    const paths = change.attributes.map(({ path }) => path).filter((path) => update && isIgnored(change.address, path))
    return [{ change, result, ignored: new Set(paths) }]
  })
}

/** Leaves the task out on a host, or for one item, when that takes nothing away that is wanted there. */
function skipWhole(
  orders: IgnoreOrders,
  key: string,
  { change, result, ignored }: Touched,
  all: readonly Touched[],
): boolean {
  const isWhole = (one: Touched): boolean => one.ignored.size === one.change.attributes.length
  const { host, item } = result
  const skips = (orders.skip[key] ??= [])
  if (all.filter((other) => other.result.host === host).every(isWhole)) {
    if (!skips.some((skip) => skip.host === host)) skips.push({ host, items: null })
    return true
  }
  if (item === null || ignored.size < change.attributes.length) return false
  skips.push({ host, items: item })
  return true
}

const replacement = (attribute: string): { name: string; value: Json } | undefined =>
  PLAIN_ARGUMENTS.has(attribute) ? { name: attribute, value: null } : undefined

const unwritten = (address: string, attribute: string): Finding => ({
  severity: 'warning',
  code: 'ignore_not_written',
  message: `${address}: "${attribute}" is ignored in the plan but would be written together with the rest of the task; leave it out of the task, or ignore all of it`,
})
