import { coerce } from 'semver'
import { digestOf } from '../../lib/digest.ts'
import { canonicalJson, type Json } from '../../lib/json.ts'
import { ACTIONS, type Action, type AttributeChange, type Plan, type ResourceChange } from './plan.ts'
import { approvedEntry } from './coverage.ts'
import { lostBy } from './lost.ts'
import { byText, compareText } from './order.ts'

export type DigestParts = Pick<Plan, 'changes' | 'desiredDigest' | 'toolVersions' | 'coverage'>

/** What of an attribute is approved. */
export interface ApprovedAttribute {
  path: string
  /** What is destroyed: all of it, or what an update takes away (`lost.ts`). */
  before?: Json
  after?: Json
  sensitive: boolean
  unknown: boolean
}

/** What of a change is approved: everything that says which resource ends up how, nothing that explains it. */
export interface ApprovedChange {
  address: string
  from?: string
  actions: Action[]
  attributes: ApprovedAttribute[]
}

/**
 * What an approval binds to: sha256 over the changes (address, former address, actions, attributes with what is written and
 * what is destroyed), what could not be checked, the desired digest and the tools' major versions. Of an update the text
 * that is overwritten does not enter: whether somebody has tampered with it, or repaired it, the same is written. Order,
 * reasons, causes, findings, numbers, outputs and attributes marked unstable do not enter.
 */
export function planDigest(parts: DigestParts): string {
  const { unchecked } = parts.coverage
  return digestOf({
    version: 1,
    // Only where there is something, so that plans that looked at everything keep the digest they had.
    ...(unchecked.length > 0 && { unchecked: unchecked.map(approvedEntry).sort(compareText) }),
    desired: parts.desiredDigest,
    tools: majorVersions(parts.toolVersions),
    changes: parts.changes.map((change) => canonicalJson(approvedPart(change))).sort(compareText),
  })
}

export function approvedPart(change: ResourceChange): ApprovedChange {
  const actions = orderedActions(change.actions)
  const overwrites = actions.every((action) => action === 'update')
  return {
    address: change.address,
    ...(change.previousAddress !== undefined && { from: change.previousAddress }),
    actions,
    attributes: change.attributes
      .filter((attribute) => !attribute.unstable)
      .map((attribute) => approvedAttribute(attribute, overwrites))
      .sort(byText((attribute) => attribute.path)),
  }
}

function approvedAttribute(attribute: AttributeChange, overwrites: boolean): ApprovedAttribute {
  const unknown = attribute.unknown ?? false
  const before = overwrites ? lostBy(attribute) : attribute.before
  return {
    path: attribute.path,
    ...(before !== undefined && { before }),
    ...(attribute.after !== undefined && !unknown && { after: attribute.after }),
    sensitive: attribute.sensitive ?? false,
    unknown,
  }
}

/** Each action once, in one order; deleting and creating the same resource is replacing it. */
export function orderedActions(actions: readonly Action[]): Action[] {
  const present = new Set<Action>(actions)
  present.delete('none')
  if (present.has('delete') && present.has('create')) {
    present.delete('delete')
    present.delete('create')
    present.add('replace')
  }
  return ACTIONS.filter((action) => present.has(action))
}

/** tool → major version, or the version as it stands where it has no number. */
export function majorVersions(versions: { readonly [tool: string]: string }): { [tool: string]: string } {
  return Object.fromEntries(
    Object.entries(versions).map(([tool, version]) => [tool, `${coerce(version)?.major ?? version}`]),
  )
}
