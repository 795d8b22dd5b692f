import type { AttributeChange, Coverage, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Json } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import { addressPrefix, type Host } from '../../hosts/host.ts'
import type { HostPlan } from '../../hosts/outcomes.ts'
import { redactionFor, secretInputs, type Redaction } from '../../values/redaction.ts'
import { byReference, type CatalogResource, NOT_STATE, plainValue, referenceOf, secretsIn } from '../source/catalog.ts'
import { type Contents, sameChecksum } from './contents.ts'
import { standsInTheWay } from './directories.ts'
import type { DryRun } from './dry-run.ts'
import type { Session } from '../session.ts'
import { isMissing, plainChecksum, type ReportEvent, type ResourceStatus } from '../tool/report.ts'
import { runFindings } from './findings.ts'

/** Puppet's own, which every run has. */
const HOUSEKEEPING = new Set(['Schedule', 'Filebucket', 'Whit', 'Class', 'Stage', 'Notify'])

/** Everything that turns one host's dry run into a part of the plan. */
interface Reading {
  context: DriverContext<unknown>
  host: Host
  run: DryRun
  resources: Map<string, CatalogResource>
  redaction: Redaction
  contents: Contents
}

/** What the dry run says would change, what it could not say, and what a person should know of it. */
export async function planOf(
  context: DriverContext<unknown>,
  { host, decrypted, repositoryPath }: Session,
  run: DryRun,
  contents: Contents,
): Promise<HostPlan> {
  const secrets = [...secretInputs(context), ...decrypted.secrets, ...secretsIn(run.catalog)]
  const redaction = redactionFor(context, secrets)
  const reading = { context, host, run, resources: byReference(run.catalog), redaction, contents }
  const addressOf = (reference: string): string => redaction.text(`${addressPrefix(host)}${reference}`)
  const changes: ResourceChange[] = []
  const unchecked: Coverage['unchecked'] = []
  let checked = 0
  for (const [reference, status] of Object.entries(run.report.resource_statuses)) {
    if (HOUSEKEEPING.has(status.resource_type)) continue
    const why = uncheckedBecause(status, reference, reading.resources)
    if (why === null) {
      checked += 1
      const change = await changeOf(reading, reference, status)
      if (change !== null) changes.push(change)
    } else {
      const failed = status.failed === true || standsInTheWay(status, reading.resources)
      unchecked.push({ address: addressOf(reference), why, ...(failed && { failed: true }) })
    }
  }
  for (const reference of unreported(run))
    unchecked.push({ address: addressOf(reference), why: 'Puppet did not come to it' })
  return {
    changes,
    coverage: { checked, unchecked },
    findings: [
      ...runFindings(context, host, run, redaction, repositoryPath),
      ...(decrypted.finding === null ? [] : [decrypted.finding]),
    ],
  }
}

/** Resources of the catalog that the report does not tell of. Classes and defined types only hold others. */
function unreported({ report, catalog }: DryRun): string[] {
  const containers = new Set((catalog.edges ?? []).map(({ source }) => source))
  return catalog.resources
    .filter(({ type }) => !HOUSEKEEPING.has(type) && !type.includes('::'))
    .map(referenceOf)
    .filter((reference) => !containers.has(reference) && !(reference in report.resource_statuses))
}

/** Why the dry run says nothing of this resource, or null where it does. */
function uncheckedBecause(
  status: ResourceStatus,
  reference: string,
  resources: ReadonlyMap<string, CatalogResource>,
): string | null {
  const resource = resources.get(reference)
  if (status.failed) return 'Puppet could not look at it: see the findings'
  if (status.skipped) return 'Puppet skipped it: a resource it depends on failed, or its schedule or tags exclude it'
  if (standsInTheWay(status, resources)) {
    return 'a directory stands there, which Puppet leaves as it is, whatever it says: remove it, or say `force => true`'
  }
  if (resource?.parameters.noop === true) return 'the code says `noop => true`: Puppet never changes it'
  if (status.resource_type === 'Exec' && pending(status).length > 0 && !isGuarded(resource)) {
    return 'a command without creates, onlyif, unless or refreshonly runs with every apply: Puppet cannot say whether it is needed'
  }
  return null
}

const isGuarded = (resource: CatalogResource | undefined): boolean =>
  ['creates', 'onlyif', 'unless', 'refreshonly'].some((name) => (resource?.parameters[name] ?? false) !== false)

const pending = ({ events }: ResourceStatus): ReportEvent[] =>
  events.filter(({ status, property }) => status === 'noop' && (property ?? '') !== '')

async function changeOf(reading: Reading, reference: string, status: ResourceStatus): Promise<ResourceChange | null> {
  const events = pending(status)
  if (events.length === 0) return null
  const resource = reading.resources.get(reference)
  const base = {
    // A title may hold a secret: a command with a password in it.
    address: reading.redaction.text(`${addressPrefix(reading.host)}${reference}`),
    type: status.resource_type,
    cause: 'config' as const,
  }
  const presence = events.find(({ property }) => property === 'ensure')
  if (presence !== undefined && isMissing(presence) && !isAbsent(presence.desired_value)) {
    return { ...base, actions: ['create'], attributes: await created(reading, presence, resource) }
  }
  const attributes: AttributeChange[] = []
  for (const event of events) attributes.push(await updated(reading, base.address, event, resource))
  const isDeletion = presence !== undefined && isAbsent(presence.desired_value)
  return { ...base, actions: [isDeletion ? 'delete' : 'update'], attributes }
}

const isAbsent = (value: Json | undefined): boolean => ['absent', 'purged', null, undefined].includes(value as string)

const holdsSensitive = (given: Json): boolean => JSON.stringify(given).includes('"__ptype":"Sensitive"')

/** What a resource gets that is not there yet: the state that its code declares. */
async function created(
  { redaction, contents }: Reading,
  presence: ReportEvent,
  resource: CatalogResource | undefined,
): Promise<AttributeChange[]> {
  const declared = Object.entries(resource?.parameters ?? {}).filter(
    ([name]) => !NOT_STATE.has(name) && name !== 'ensure',
  )
  const attributes: AttributeChange[] = []
  for (const [name, given] of declared) {
    const secret = resource!.sensitive_parameters.includes(name)
    attributes.push(attribute(name, undefined, redaction.value(plainValue(given), secret || holdsSensitive(given))))
  }
  const text = declared.some(([name]) => name === 'content') ? null : await contents.desired(resource)
  if (text !== null) {
    const told = redaction.value.told?.(null, text, false)
    attributes.push(withTold(attribute('content', undefined, redaction.value(text, false)), told))
  }
  const ensure = presence.redacted ? 'present' : (presence.desired_value ?? 'present')
  attributes.push(attribute('ensure', redaction.value('absent', false), redaction.value(ensure, false)))
  return attributes
}

async function updated(
  { context, host, redaction, contents }: Reading,
  address: string,
  event: ReportEvent,
  resource: CatalogResource | undefined,
): Promise<AttributeChange> {
  const path = event.property!
  const secret = event.redacted === true || (resource?.sensitive_parameters.includes(path) ?? false)
  if (path === 'content' && resource?.type === 'File') {
    const before = await contents.live(host, resource)
    const after = await contents.desired(resource)
    const hidden = secret || resource.parameters.show_diff === false
    const matches = (text: string | null, given: Json | undefined): text is string =>
      text !== null && (secret || sameChecksum(text, plainChecksum(given ?? null)))
    if (matches(before, event.previous_value) && matches(after, event.desired_value)) {
      const told = redaction.value.told?.(before, after, hidden)
      return withTold(attribute(path, redaction.value(before, hidden), redaction.value(after, hidden)), told)
    }
  }
  if (secret) {
    // Puppet says neither value; the hashes differ so that the change is one.
    const hashed = (side: string): string => context.hash({ address, path, side })
    return { path, before: hashed('before'), after: hashed('after'), sensitive: true }
  }
  const shown = (given: Json | undefined): ReturnType<Redaction['value']> =>
    redaction.value(plainChecksum(given ?? null), false)
  return attribute(path, shown(event.previous_value), shown(event.desired_value))
}

const withTold = (attribute: AttributeChange, told: string | undefined): AttributeChange =>
  attribute.sensitive && told !== undefined ? { ...attribute, shown: told } : attribute

type Shown = ReturnType<Redaction['value']>

/** Where one side had to be hidden, the other is hidden too where it is not a hash already. */
function attribute(path: string, before: Shown | undefined, after: Shown): AttributeChange {
  const sensitive = before?.sensitive === true || after.sensitive
  return { path, ...(before && { before: before.value }), after: after.value, ...(sensitive && { sensitive }) }
}
