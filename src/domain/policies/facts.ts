import type { Json } from '../../lib/json.ts'
import { countsOf } from '../plans/coverage.ts'
import type { AttributeChange, Plan } from '../plans/plan.ts'
import type { RunKind } from '../runs/run.ts'

export type Tier = 'development' | 'staging' | 'production'

/** What a policy may look at. */
export interface PolicyFacts {
  plan: Pick<Plan, 'summary' | 'changes' | 'findings' | 'coverage'>
  stack: { name: string; path: string; driver: string }
  environment: { name: string; tier: Tier }
  /** Null for runs without a merge request (drift, heal). */
  mr: { author: string; title: string; draft: boolean; sourceBranch: string; targetBranch: string } | null
  run: { kind: RunKind }
}

/** Facts as the expression language wants them. */
export interface CelFacts {
  [variable: string]: unknown
}

/**
 * The facts as CEL values: whole numbers are 64-bit integers (BigInt), and every field that a schema names is there,
 * with an empty value where the plan has none, so that looking at it is no error.
 */
export function celFacts(facts: PolicyFacts): CelFacts {
  const { plan, stack, environment, mr, run } = facts
  return {
    plan: {
      summary: celValue({ ...plan.summary, ...countsOf(plan.coverage) }),
      changes: plan.changes.map((change) => ({
        address: change.address,
        previousAddress: change.previousAddress ?? '',
        type: change.type,
        actions: change.actions,
        cause: change.cause,
        reason: change.reason ?? '',
        attributes: change.attributes.map(celAttribute),
      })),
      findings: plan.findings.map((finding) => ({
        severity: finding.severity,
        code: finding.code ?? '',
        message: finding.message,
        path: finding.path ?? '',
      })),
      coverage: {
        checked: BigInt(plan.coverage.checked),
        unchecked: plan.coverage.unchecked.map(({ address, why, unreachable = false, failed = false, count = 1 }) => ({
          address,
          why,
          unreachable,
          failed,
          count: BigInt(count),
        })),
      },
    },
    stack: { name: stack.name, path: stack.path, driver: stack.driver },
    environment: { name: environment.name, tier: environment.tier },
    mr: mr && {
      author: mr.author,
      title: mr.title,
      draft: mr.draft,
      sourceBranch: mr.sourceBranch,
      targetBranch: mr.targetBranch,
    },
    run: { kind: run.kind },
  }
}

function celAttribute(attribute: AttributeChange): { [field: string]: unknown } {
  return {
    path: attribute.path,
    before: celValue(attribute.before ?? null),
    after: celValue(attribute.after ?? null),
    sensitive: attribute.sensitive ?? false,
    unknown: attribute.unknown ?? false,
    unstable: attribute.unstable ?? false,
  }
}

function celValue(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(celValue)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, celValue(member)]))
}
