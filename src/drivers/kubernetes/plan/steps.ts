import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { Resource } from '../cluster/discovery.ts'
import type { Fields } from '../compare/fields.ts'
import type { Step as PathStep } from '../objects/paths.ts'
import type { DeletePolicy } from '../objects/hooks.ts'
import type { KubeObject, ObjectRef } from '../objects/object.ts'

/** One thing that apply will do, in full: plan and apply of one run share it through the scratch directory. */
export interface Step {
  act: 'create' | 'update' | 'replace' | 'delete' | 'forget' | 'hook' | 'inventory'
  ref: ObjectRef
  key: string
  address: string
  resource: Resource | null
  /** What is sent; absent for deletions. */
  object?: KubeObject
  /** It counts as gone when what it owns is: an earlier wave is deleted after it. */
  dependantsFirst?: boolean
  /** The definition of its kind has just come or changed: the server may still go by the old one. */
  newKind?: boolean
  /** Fields of those who declared the object before: they become ours first. */
  adopts?: Fields
  /** It was there before this stack, and nobody's or another's. */
  adoptsObject?: boolean
  /** Of what is forgotten: our mark goes, so that it is nobody's again. */
  releases?: boolean
  /** Where others have put something that goes away. */
  foreign: PathStep[][]
  /** Hash of the live object as the plan saw it. */
  seen: string
  hook: StepHook | null
  wave: number
  rank: 0 | 1 | 2 | 3
  /** Goes into the inventory. */
  hash: string
}

/** How a hook is run in this plan. */
export interface StepHook {
  when: 'before' | 'after'
  weight: number
  deleteOn: readonly DeletePolicy[]
}

/** Everything that apply needs and the plan for people does not show. */
export interface PreparedPlan {
  steps: Step[]
  /** Inventory entries of all that is wanted, also of what does not change. */
  entries: { ref: ObjectRef; hash: string; hook: boolean }[]
  /** Keys of what is there now and was there before the stack. */
  adopted: string[]
  /** Of the former inventory: not deleted now, and not forgotten. */
  kept: { ref: ObjectRef; hash: string }[]
  desired: string
  renderer: string
  secrets: string[]
}

const file = (context: DriverContext<unknown>): string => join(context.scratch, 'kubernetes-plan.sealed')

/** Sealed: the objects hold Secrets in clear. */
export async function keepSteps(context: DriverContext<unknown>, prepared: PreparedPlan): Promise<void> {
  await writeFile(file(context), context.seal(Buffer.from(JSON.stringify(prepared))), { mode: 0o600 })
}

/** PLAN_STALE where they are gone. */
export async function keptSteps(context: DriverContext<unknown>): Promise<PreparedPlan> {
  const sealed = await readFile(file(context)).catch((cause: unknown) => {
    throw new TrueupError('PLAN_STALE', {
      doing: `applying stack "${context.stack.name}"`,
      why: 'the prepared plan of this run is gone',
      cause,
    })
  })
  return JSON.parse(context.open(sealed).toString('utf8')) as PreparedPlan
}
