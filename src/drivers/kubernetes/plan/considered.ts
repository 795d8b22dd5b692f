import type { KubeObject } from '../objects/object.ts'
import { hashOf, type Survey, type Surveyed, surveyOne } from './survey.ts'
import type { Wanted } from './wanted.ts'

/** One wanted object with all that planning has found out about it. */
export interface Considered {
  wanted: Wanted
  /** As the inventory keeps it. */
  hash: string
  /** Null for a hook, which is run and not compared. */
  surveyed: Surveyed | null
}

/** Hash of what this renderer makes and the one that deployed did not: it is no part of the stack yet. */
export const NEVER = ''

export interface Consideration {
  survey: Survey
  live: ReadonlyMap<string, KubeObject>
  /** Why what is rendered otherwise than deployed is left alone, or null. */
  held: string | null
}

export async function consider({ survey, live, held }: Consideration, wanted: Wanted): Promise<Considered> {
  const former = survey.formerHash(wanted.key)
  if (held !== null && former !== hashOf(survey, wanted)) {
    const hash = former ?? NEVER
    if (wanted.hook !== null) return { wanted, hash, surveyed: null }
    return { wanted, hash, surveyed: { hash, findings: [], unchecked: { address: wanted.address, why: held } } }
  }
  const surveyed = wanted.hook === null ? await surveyOne(survey, wanted, live.get(wanted.key) ?? null) : null
  return { wanted, hash: surveyed?.hash ?? hashOf(survey, wanted), surveyed }
}
