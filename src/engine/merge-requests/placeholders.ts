import { resolveEnvironment } from '../../domain/stacks/environment.ts'
import type { Finding } from '../../domain/plans/plan.ts'
import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import type { Json } from '../../lib/json.ts'
import type { Run } from '../../store/runs/runs.ts'
import { type RunSpec, specOfRun } from '../run-spec.ts'
import type { Snapshot, StackSource } from '../snapshot/snapshot.ts'
import type { PreviewRef } from './previews.ts'

type Inputs = { [name: string]: ResolvedInput }

/** What decides whether a preview gets what other stacks call sensitive. */
interface Judged {
  how: PreviewRef['how']
  /** Somebody who had no part in it has approved this head. */
  vetted: boolean
  /** Nobody vouches for it, whatever would be asked of a merge. */
  untrusted: boolean
  /** The run that planned the stack before, for this merge request. */
  before: Run | undefined
  target: Snapshot
}

/**
 * Whether a preview gets placeholders for its sensitive inputs: it runs what nobody has approved, and could show or send what
 * another stack keeps secret. It does not where the code is the target branch's (a dependant), where nothing has to be
 * approved (a merge would give it the values), or where the very same source has been planned with them.
 */
export function needsPlaceholders(
  source: StackSource,
  inputs: Inputs,
  { how, vetted, untrusted, before, target }: Judged,
): boolean {
  if (vetted || !Object.values(inputs).some(({ sensitive }) => sensitive)) return false
  if (untrusted) return true
  if (how === 'dependant') return false
  if (before && specOfRun(before).sourceDigest === source.sourceDigest && !specOfRun(before).placeholders) return false
  const { environment } = source.definition
  const { config } = target
  if (!config || !Object.hasOwn(config.environments, environment)) return true
  const { required, codeOwners } = resolveEnvironment(environment, config).approvals
  return required > 0 || codeOwners
}

/** The inputs with a word for each sensitive text, of the shape that the value has. */
export const withPlaceholders = (inputs: Inputs): Inputs =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      input.sensitive ? { ...input, value: placeholder(input.value, name) } : input,
    ]),
  )

function placeholder(value: Json, name: string): Json {
  if (typeof value === 'string') return `placeholder-for-${name}`
  if (typeof value === 'number') return 0
  if (typeof value !== 'object' || value === null) return value === null ? null : false
  if (Array.isArray(value)) return value.map((member) => placeholder(member, name))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, placeholder(member, name)]))
}

/** What a plan with placeholders says of itself. */
export function placeholderFindings({ placeholders, definition }: RunSpec): Finding[] {
  if (!placeholders) return []
  const names = Object.keys(definition.inputs).join(', ')
  return [
    {
      severity: 'warning',
      code: 'placeholder_inputs',
      message: `planned with placeholders for what is sensitive among its inputs (${names}): what depends on them is not what will be. It is planned with the values once somebody else has approved this head, and that plan is approved anew`,
    },
  ]
}

/**
 * Predicted inputs as a run keeps them: sensitive ones without their values, which are those of the deployed outputs (a plan
 * predicts no other) and are resolved again when the run begins.
 */
export const withoutSensitive = (inputs: Inputs): Inputs =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, input.sensitive ? { ...input, value: null } : input]),
  )
