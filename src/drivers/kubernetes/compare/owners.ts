import type { Json } from '../../../lib/json.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'
import { below, type Fields, indexOf, namesIn, otherManagers } from './fields.ts'
import { type Step, stepsOf } from '../objects/paths.ts'

/** The managers other than us that have set the attribute at a path of the live object. */
export function ownersOf(live: KubeObject, path: string): string[] {
  const steps = stepsOf(path)
  const owners = otherManagers(live).filter(({ fields }) => owns(fields, asJson(live), steps))
  return [...new Set(owners.map(({ manager }) => manager))].toSorted()
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
