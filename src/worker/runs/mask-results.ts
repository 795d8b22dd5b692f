import type { ApplyResult, DriverPlan, Finding, Output, ResourceChange } from '../../domain/plans/plan.ts'
import type { FilePatch } from '../../drivers/driver.ts'
import type { Json } from '../../lib/json.ts'
import type { Masker } from './masking.ts'

type Hash = (value: Json) => string

/** A keyed hash as drivers write it that hide values themselves. */
const HASHED = /^hmac:[0-9a-f]{32}$/

/**
 * A plan as it may leave the worker. What the tool wrote is masked; the protocol's own words are not, for `error`, `update`
 * or `drift` may be the value of a variable that someone calls secret.
 */
export function maskPlan(plan: DriverPlan, masker: Masker, hash: Hash): DriverPlan {
  const { coverage } = plan
  return {
    changes: plan.changes.map((change) => maskChange(change, masker)),
    coverage: { checked: coverage.checked, unchecked: masker.deep(coverage.unchecked) },
    outputs: maskOutputs(plan.outputs, masker, hash),
    findings: maskFindings(plan.findings, masker),
    toolVersions: masker.deep(plan.toolVersions),
  }
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
    outputs: mapOutputs(result.outputs, (output) =>
      !output.sensitive && holdsSecret(output.value, masker) ? { ...output, sensitive: true } : output,
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

function maskChange(change: ResourceChange, masker: Masker): ResourceChange {
  const { address, type, reason, previousAddress } = change
  return {
    ...change,
    ...masker.deep({ address, type }),
    attributes: change.attributes.map((attribute) => ({ ...attribute, ...maskValues(attribute, masker) })),
    ...(reason !== undefined && { reason: masker.text(reason) }),
    ...(previousAddress !== undefined && { previousAddress: masker.text(previousAddress) }),
  }
}

const maskValues = ({ path, before, after }: ResourceChange['attributes'][number], masker: Masker) => ({
  path: masker.text(path),
  ...(before !== undefined && { before: masker.deep(before) }),
  ...(after !== undefined && { after: masker.deep(after) }),
})

const maskFindings = (findings: readonly Finding[], masker: Masker): Finding[] =>
  findings.map((finding) => ({ ...masker.deep(finding), severity: finding.severity }))

/**
 * Predicted outputs are inputs of other stacks' previews and must arrive as they are, unless they are sensitive or hold a
 * secret: a plan is stored in clear and shown to every reader. Those values travel with the result of the apply, sealed.
 */
function maskOutputs(outputs: DriverPlan['outputs'], masker: Masker, hash: Hash): DriverPlan['outputs'] {
  return mapOutputs(outputs, (output) => {
    const { value, sensitive, unknown } = output
    const isOpen = unknown || (typeof value === 'string' && HASHED.test(value))
    if (isOpen || (!sensitive && !holdsSecret(value, masker))) return output
    return { ...output, value: hash(value), sensitive: true }
  })
}

const holdsSecret = (value: Json, masker: Masker): boolean =>
  JSON.stringify(masker.deep(value)) !== JSON.stringify(value)

const mapOutputs = (outputs: DriverPlan['outputs'], change: (output: Output) => Output): DriverPlan['outputs'] =>
  Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, change(output)]))
