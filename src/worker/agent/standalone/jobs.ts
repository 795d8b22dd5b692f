import { resolveEnvironment } from '../../../domain/stacks/environment.ts'
import { deployWindow } from '../../../domain/windows/windows.ts'
import { keyedHash } from '../../../lib/digest.ts'
import { canonicalJson, type Json } from '../../../lib/json.ts'
import { type Desired, type DesiredStack, digestOf, inputsOf } from './desired.ts'
import type { Ledger, StackRecord } from './ledger.ts'

/** What is to be done at a stack: bring it to what the commit says, or look for drift (and heal it). */
export interface Job {
  kind: 'deploy' | 'heal'
  stack: DesiredStack
  digest: string
  inputs: { [name: string]: { value: Json; sensitive: boolean } }
}

export interface JobFacts {
  ledger: Ledger
  now: number
  /** Hashes values that nobody may read. */
  hashKey: Buffer
  /** Of the agent's own variables, by name. */
  variables: { [name: string]: { value: string } }
}

/** A stack as it stands: what it should be, and whether it is. */
export interface Standing {
  stack: DesiredStack
  record: StackRecord
  /** Null where an upstream stack has not given yet what it takes. */
  digest: string | null
  inputs: Job['inputs']
  /** Deployed as the commit says, to a good end. */
  settled: boolean
  /** The stack that it waits for. */
  waitsFor: string | null
}

/** All stacks of a commit, upstream first. */
export function standings(desired: Desired, { ledger, hashKey, variables }: Omit<JobFacts, 'now'>): Standing[] {
  const hash = (text: string): string => keyedHash(hashKey, text)
  const versions = Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, hash(value)]))
  const seen = new Map<string, Standing>()
  for (const stack of desired.stacks) {
    const { key, needs } = stack.definition
    const record = ledger.stack(key)
    // Stacks of other environments and agents are not waited for: nobody here knows of them.
    const waitsFor = needs.find((need) => seen.has(need) && !seen.get(need)!.settled) ?? null
    const inputs = inputsOf(stack, (other) => (ledger.stack(other).deployed ? ledger.stack(other).outputs : null))
    const told = Object.entries(inputs ?? {}).map(([name, { value, sensitive }]): [string, Json] => [
      name,
      sensitive ? hash(canonicalJson(value)) : value,
    ])
    const digest = inputs && digestOf(stack, Object.fromEntries(told), versions)
    const settled = digest !== null && record.deployed?.digest === digest && !record.failed
    seen.set(key, { stack, record, digest, inputs: inputs ?? {}, settled, waitsFor })
  }
  return [...seen.values()]
}

/** The next thing to do, upstream stacks first; what cannot be done yet is said in the ledger. */
export function nextJob(desired: Desired, facts: JobFacts): Job | null {
  const { ledger, now } = facts
  for (const { stack, record, digest, inputs, settled, waitsFor } of standings(desired, facts)) {
    const { key, environment } = stack.definition
    if (record.begun) continue
    if (settled) {
      if (record.lookAt <= now) return { kind: 'heal', stack, digest: digest!, inputs }
      continue
    }
    if (waitsFor !== null || digest === null) {
      const why = waitsFor ? `${waitsFor} comes first` : `an input is not there: ${upstream(stack)}`
      ledger.set(key, { state: 'waiting', why })
      continue
    }
    if (record.failed?.digest === digest && record.failed.retryAt > now) continue
    const { windows } = resolveEnvironment(environment, desired.config)
    const window = deployWindow({ windows, freezes: [], at: now })
    if (!window.open) {
      ledger.set(key, { state: 'waiting', why: window.reason ?? 'outside the window' })
      continue
    }
    return { kind: 'deploy', stack, digest, inputs }
  }
  return null
}

const upstream = ({ definition }: DesiredStack): string =>
  Object.values(definition.inputs)
    .map(({ stack, output }) => `${stack}.${output}`)
    .join(', ')
