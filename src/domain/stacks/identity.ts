import type { RunKind } from '../runs/run.ts'
import type { Phase } from './stack.ts'

/** A token that a stack asks for. Its name is the variable that holds it; `NAME_FILE` is the path of a file with it. */
export interface IdentityToken {
  audience: string[]
  /** The only phase that gets it; both where absent. */
  phase?: Phase
}

/** What a run's token says about it. Facts of the server, none of them chosen by the change that is planned. */
export interface RunFacts {
  repository: { id: string; name: string }
  environment: string
  stack: { id: string; name: string }
  driver: string
  phase: Phase
  run: { id: string; kind: RunKind }
  commit: string
  /** `refs/heads/…`: the source branch of a merge request that is planned, else the branch that is deployed. */
  ref: string
  /** Number of the merge request, where the run belongs to one. */
  mr: number | null
  /** Name of the person who caused it; `system` where Trueup did. */
  actor: string
  worker: { name: string; pool: string }
}

/** Longest life of a token in milliseconds: Google Cloud takes none that lives longer. */
export const LONGEST_TOKEN_MS = 24 * 60 * 60_000

/**
 * Claims beside those of every token (`iss`, `aud`, `exp`, `iat`, `jti`). `sub` is what most clouds compare, so it holds
 * what a trust policy should depend on, from the widest to the narrowest; no part of it can hold a colon.
 */
export function runClaims(facts: RunFacts): { sub: string; [claim: string]: string | number | string[] } {
  const { repository, environment, stack, phase } = facts
  const place = `repo:${repository.name}:env:${environment}`
  return {
    sub: `${place}:stack:${stack.name}:phase:${phase}`,
    // For verifiers that know people and groups and cannot compare claims, as clusters without a structured configuration.
    groups: [`${place}:phase:${phase}`],
    repository: repository.name,
    repository_id: repository.id,
    environment,
    stack: stack.name,
    stack_id: stack.id,
    driver: facts.driver,
    phase,
    run_id: facts.run.id,
    run_kind: facts.run.kind,
    commit: facts.commit,
    ref: facts.ref,
    ...(facts.mr !== null && { mr: facts.mr }),
    actor: facts.actor,
    worker: facts.worker.name,
    worker_pool: facts.worker.pool,
  }
}

/** The tokens of one phase, name → audiences. */
export const tokensOfPhase = (
  identity: { [name: string]: IdentityToken } | undefined,
  phase: Phase,
): { [name: string]: string[] } =>
  Object.fromEntries(
    Object.entries(identity ?? {})
      .filter(([, token]) => token.phase === undefined || token.phase === phase)
      .map(([name, { audience }]) => [name, audience]),
  )
