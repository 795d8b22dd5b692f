import type { ChangedBy } from '../../../domain/plans/plan.ts'
import type { Json } from '../../../lib/json.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'
import { below, type Fields, indexOf, namesIn, type OtherManager, otherManagers } from './fields.ts'
import { type Step, stepsOf } from '../objects/paths.ts'

/** The managers other than us that have set the attribute at a path of the live object. */
export function ownersOf(live: KubeObject, path: string): string[] {
  return [...new Set(managersOf(live, path).map(({ manager }) => manager))].toSorted()
}

/** The last of those managers, with its time; undefined where nobody else owns the attribute. */
export function changedBy(live: KubeObject, path: string): ChangedBy | undefined {
  const [last] = managersOf(live, path).toSorted((a, b) => (b.at ?? 0) - (a.at ?? 0))
  return last && { how: 'manager', who: last.manager.slice(0, 500), ...(last.at !== undefined && { at: last.at }) }
}

function managersOf(live: KubeObject, path: string): OtherManager[] {
  const steps = stepsOf(path)
  return otherManagers(live).filter(({ fields }) => owns(fields, asJson(live), steps))
}

function owns(fields: Fields, live: Json | undefined, steps: readonly Step[]): boolean {
  // A leaf owns all that is below it.
  if (steps.length === 0 || namesIn(fields).length === 0) return true
  const [step, ...rest] = steps as [Step, ...Step[]]
  const name = nameOf(fields, live, step)
  const inner = name === null ? null : below(fields, name)
  return inner !== null && owns(inner, memberOf(live, step), rest)
}

function nameOf(fields: Fields, live: Json | undefined, step: Step): string | null {
  if (typeof step === 'string') return `f:${step}`
  if (!Array.isArray(live)) return null
  return namesIn(fields).find((name) => indexOf(live, name) === step) ?? null
}

function memberOf(value: Json | undefined, step: Step): Json | undefined {
  if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined
  return isObject(value) && Object.hasOwn(value, String(step)) ? value[String(step)] : undefined
}
