import { compileIgnore } from '../../domain/ignore.ts'
import type { Finding, ResourceChange } from '../../domain/plan.ts'
import type { IgnoreRule } from '../../domain/stack.ts'
import type { Json } from '../../lib/json.ts'
import type { Redaction } from '../values/redaction.ts'
import { addressOf } from './changes.ts'
import type { ResultEvent } from './events.ts'

/** What the callback plugin changes in tasks before they run. */
export interface IgnoreOrders {
  /** Task → hosts on which it is left out. */
  skip: { [key: string]: string[] }
  /** Task → arguments that are set, or with null taken away. */
  arguments: { [key: string]: { [name: string]: Json } }
}

export const NO_IGNORES: IgnoreOrders = { skip: {}, arguments: {} }

/** Arguments of modules that a diff names alike, and without which the module leaves the thing as it is. */
const PLAIN_ARGUMENTS = new Set(['mode', 'owner', 'group'])
const FILE_WRITERS = new Set(['copy', 'template'])

interface Touched {
  change: ResourceChange
  result: ResultEvent
  ignored: Set<string>
}

/**
 * Carries the ignore rules into what is written. A task of which everything on a host is ignored is left out there; of a
 * task that writes other things too, an ignored `mode`, `owner` or `group` is taken away, and ignored content is kept by
 * `force: false`. What cannot be expressed so is a finding: Ansible cannot leave out one attribute of just any module.
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
      const value = replacement(rest[0]!.result.action, attribute)
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

/** Leaves the task out on a host, when that takes nothing away that is wanted there. */
function skipWhole(orders: IgnoreOrders, key: string, { result }: Touched, all: readonly Touched[]): boolean {
  const onHost = all.filter((other) => other.result.host === result.host)
  if (!onHost.every(({ change, ignored }) => ignored.size === change.attributes.length)) return false
  const hosts = (orders.skip[key] ??= [])
  if (!hosts.includes(result.host)) hosts.push(result.host)
  return true
}

function replacement(action: string, attribute: string): { name: string; value: Json } | undefined {
  if (PLAIN_ARGUMENTS.has(attribute)) return { name: attribute, value: null }
  if (attribute === 'content' && FILE_WRITERS.has(action)) return { name: 'force', value: false }
  return undefined
}

const unwritten = (address: string, attribute: string): Finding => ({
  severity: 'warning',
  code: 'ignore_not_written',
  message: `${address}: "${attribute}" is ignored in the plan but would be written together with the rest of the task; leave it out of the task, or ignore all of it`,
})
