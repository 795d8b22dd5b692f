import { covering } from '../../domain/plans/coverage.ts'
import { deedsOfStack, type StoredDeed } from '../../store/stacks/deeds.ts'
import { standingDrift } from '../../store/stacks/drift.ts'
import { getRun, listRuns } from '../../store/runs/runs.ts'
import type { Stack } from '../../store/stacks/stacks.ts'
import type { Queries } from '../../store/database/context.ts'
import { appliedOf } from '../applied.ts'

export type ResourceHealth = 'failed' | 'drifted' | 'unchecked' | 'ok' | 'unknown'

/** One resource that Trueup knows by name: it has changed it, seen it drift, or could not look at it. */
export interface KnownResource {
  address: string
  health: ResourceHealth
  /** What is the matter with it; null where nothing is. */
  why: string | null
  /** Run that did the last thing to it; null where none is known to have. */
  runId: string | null
}

/** Of so many deeds the newest are read; a stack of more has resources that are counted and not named. */
const MAX_DEEDS = 20_000
/** Worst first: it is what a list is read for. */
const ORDER: readonly ResourceHealth[] = ['failed', 'drifted', 'unchecked', 'unknown', 'ok']

/**
 * The resources of a stack by name, with how each is, worst first. Tools that look at everything tell only how many there
 * are: one that was there before Trueup and that nothing has ever happened to is not among these.
 */
export async function resourcesOf(db: Queries, stack: Stack): Promise<KnownResource[]> {
  const known = present(await deedsOfStack(db, stack.id, MAX_DEEDS))
  const drift = new Map<string, string>()
  for (const { state, address, attribute } of await standingDrift(db, stack.id))
    if (state === 'open') drift.set(address, drift.has(address) ? 'several attributes differ' : `${attribute} differs`)
  const failed = await failuresOf(db, stack)
  const unchecked = stack.observedCoverage?.unchecked ?? []
  const isUnchecked = covering(unchecked)
  const reasons = new Map(unchecked.map(({ address, why }) => [address, why]))
  const told = unchecked.filter(({ address, folded }) => folded === undefined && address !== '*')
  const named = new Set([...known.keys(), ...drift.keys(), ...failed.keys(), ...told.map(({ address }) => address)])
  const looked = stack.observedAt !== null || stack.deployedAt !== null
  const resources = [...named].map((address): KnownResource => {
    const base = { address, runId: known.get(address) ?? null }
    const failure = failed.get(address)
    if (failure !== undefined) return { ...base, health: 'failed', why: failure }
    const differs = drift.get(address)
    if (differs !== undefined) return { ...base, health: 'drifted', why: differs }
    if (isUnchecked(address)) {
      const why = reasons.get(address) ?? 'what holds it was not looked at'
      return { ...base, health: 'unchecked', why }
    }
    return { ...base, health: looked ? 'ok' : 'unknown', why: null }
  })
  const rank = new Map(ORDER.map((health, at) => [health, at]))
  return resources.sort((a, b) => rank.get(a.health)! - rank.get(b.health)! || (a.address < b.address ? -1 : 1))
}

/** Addresses that are there by what was done, oldest deed first, each with the run of the last one. */
function present(deeds: readonly StoredDeed[]): Map<string, string> {
  const there = new Map<string, string>()
  for (const { address, did, from, runId } of deeds) {
    if (from !== undefined) there.delete(from)
    if (did === 'deleted' || did === 'forgot') there.delete(address)
    else there.set(address, runId)
  }
  return there
}

/** What the last deployment failed at; nothing where it went through. */
async function failuresOf(db: Queries, { id: stackId }: Stack): Promise<Map<string, string>> {
  const filter = {
    stackId,
    kinds: ['deploy', 'heal', 'destroy'] as const,
    states: ['succeeded', 'failed', 'lost'] as const,
  }
  const [last] = (await listRuns(db, filter, { limit: 1 })).items
  if (!last || last.state === 'succeeded') return new Map()
  const run = await getRun(db, last.id)
  const resources = (run && appliedOf(run)?.resources) ?? []
  return new Map(
    resources.flatMap(({ address, status, message }) =>
      status === 'failed' ? [[address, message ?? 'the last deployment failed at it'] as const] : [],
    ),
  )
}
