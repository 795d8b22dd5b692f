import type {
  ApplyResult,
  AttributeChange,
  ChangedBy,
  DriverPlan,
  Finding,
  Output,
  ResourceChange,
} from '../../domain/plans/plan.ts'
import { MAX_SHOWN_CHARS, toldOfSecret } from '../../domain/plans/secret-text.ts'
import type { DriverContext, FilePatch } from '../../drivers/driver.ts'
import type { Json } from '../../lib/json.ts'
import type { Place } from '../../domain/plans/place.ts'
import type { Masker } from './masking.ts'

/** How a value is hidden, and whether texts that hold a secret are shown without it. */
type Hiding = Pick<DriverContext<unknown>, 'hash' | 'showSecretDiff'>

/** A keyed hash as drivers write it that hide values themselves. */
const HASHED = /^hmac:[0-9a-f]{32}$/

/**
 * A plan as it may leave the worker. What the tool wrote is masked; the protocol's own words are not, for `error`, `update`
 * or `drift` may be the value of a variable that someone calls secret.
 */
export function maskPlan(plan: DriverPlan, masker: Masker, hiding: Hiding): DriverPlan {
  const { coverage } = plan
  return {
    changes: plan.changes.map((change) => maskChange(change, masker, hiding)),
    coverage: { checked: coverage.checked, unchecked: coverage.unchecked.map((one) => masker.fields(one)) },
    outputs: maskOutputs(plan.outputs, masker, hiding),
    findings: maskFindings(plan.findings, masker),
    toolVersions: masker.deep(plan.toolVersions),
    ...(plan.places && { places: plan.places.map((place) => maskPlace(place, masker, hiding)) }),
  }
}

/** Two places may not become one because the secrets in their names are hidden alike. */
function maskPlace(place: Place, masker: Masker, { hash }: Hiding): Place {
  const address = masker.text(place.address)
  return address === place.address ? place : { ...place, address: `${address} ${String(hash(place.address))}` }
}

/** The result of an apply. Its outputs travel sealed and other stacks need them, so they stay, at most marked as sensitive. */
export function maskResult(result: ApplyResult, masker: Masker): ApplyResult {
  return {
    ...result,
    resources: result.resources.map((resource) => ({
      ...resource,
      address: masker.text(resource.address),
      ...(resource.message !== undefined && { message: masker.text(resource.message) }),
    })),
    outputs: mapOutputs(result.outputs, masker, (output) =>
      !output.sensitive && masker.holds(output.value) ? { ...output, sensitive: true } : output,
    ),
    findings: maskFindings(result.findings, masker),
  }
}

/** What reality holds may be a secret that someone wrote there by hand; Git must not get it. `onLeftOut` hears its path. */
export function withoutSecrets(
  patches: readonly FilePatch[],
  masker: Masker,
  onLeftOut: (path: string) => void,
): FilePatch[] {
  return patches.filter(({ path, content }) => {
    const text = content?.toString('utf8') ?? ''
    const isClean = masker.text(text) === text
    if (!isClean) onLeftOut(path)
    return isClean
  })
}

function maskChange(change: ResourceChange, masker: Masker, hiding: Hiding): ResourceChange {
  const { address, type, reason, previousAddress, importId, by } = change
  return {
    ...change,
    ...masker.fields({ address, type }),
    attributes: change.attributes.map((attribute) => maskAttribute(attribute, masker, hiding)),
    ...(reason !== undefined && { reason: masker.text(reason) }),
    ...(importId !== undefined && { importId: masker.text(importId) }),
    ...(previousAddress !== undefined && { previousAddress: masker.text(previousAddress) }),
    ...(by && { by: maskBy(by, masker) }),
  }
}

const maskBy = (by: ChangedBy, masker: Masker): ChangedBy => ({ ...by, who: masker.text(by.who) })

/**
 * Where one side of an attribute is secret, or is built from a secret, the other one is hidden as well: it is what the
 * secret was, or becomes. Both are then keyed hashes, equal for equal values.
 */
function maskAttribute(attribute: AttributeChange, masker: Masker, hiding: Hiding): AttributeChange {
  const { path, before, after, by } = attribute
  const { hash, showSecretDiff = false } = hiding
  const isHidden =
    attribute.sensitive === true || [before, after].some((side) => side !== undefined && masker.holds(side))
  const hide = (side: Json): Json => (side === null || isHash(side) ? side : hash(side))
  // A driver that has hidden the values has said itself what of them may be seen.
  const isRaw = ![before, after].some((side) => side !== undefined && isHash(side))
  const told = isHidden && isRaw ? toldOfSecret(before, after, showSecretDiff && !attribute.sensitive) : undefined
  const shown = isHidden ? (attribute.shown ?? told) : undefined
  return {
    ...attribute,
    path: masker.text(path),
    ...(by && { by: maskBy(by, masker) }),
    ...(shown !== undefined && { shown: masker.text(shown).slice(0, MAX_SHOWN_CHARS) }),
    ...(isHidden && {
      sensitive: true,
      ...(before !== undefined && { before: hide(before) }),
      ...(after !== undefined && { after: hide(after) }),
    }),
  }
}

const isHash = (value: Json): boolean => typeof value === 'string' && HASHED.test(value)

const maskFindings = (findings: readonly Finding[], masker: Masker): Finding[] =>
  findings.map((finding) => ({ ...masker.fields(finding), severity: finding.severity }))

/**
 * Predicted outputs are inputs of other stacks' previews and must arrive as they are, unless they are sensitive or hold a
 * secret: a plan is stored in clear and shown to every reader. Those values travel with the result of the apply, sealed.
 */
function maskOutputs(outputs: DriverPlan['outputs'], masker: Masker, { hash }: Hiding): DriverPlan['outputs'] {
  return mapOutputs(outputs, masker, (output) => {
    const { value, sensitive, unknown } = output
    const isOpen = unknown || isHash(value)
    if (isOpen || (!sensitive && !masker.holds(value))) return output
    return { ...output, value: hash(value), sensitive: true }
  })
}

const mapOutputs = (
  outputs: DriverPlan['outputs'],
  masker: Masker,
  change: (output: Output) => Output,
): DriverPlan['outputs'] =>
  Object.fromEntries(Object.entries(outputs).map(([name, output]) => [masker.text(name), change(output)]))
