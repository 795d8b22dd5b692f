import { runClaims, tokensOfPhase } from '../../domain/stacks/identity.ts'
import type { Phase } from '../../domain/stacks/stack.ts'
import { canDo } from '../../domain/wire/versions.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { getUser } from '../../store/people/users.ts'
import type { Run } from '../../store/runs/runs.ts'
import { getWorker } from '../../store/workers/workers.ts'
import type { EngineParts } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import { signToken } from './issuer.ts'

/**
 * The tokens of one phase of a run that a worker holds, by name; undefined where its stack asks for none. Code that
 * nobody vouches for gets none, whatever it asks for.
 * @throws PROTOCOL_MISMATCH where the worker would not hand them on
 */
export async function runTokens(
  parts: EngineParts,
  run: Run,
  phase: Phase,
): Promise<{ [name: string]: string } | undefined> {
  const { definition, untrusted, orderedById } = specOfRun(run)
  const wanted = Object.entries(tokensOfPhase(definition.identity, phase))
  if (wanted.length === 0 || untrusted) return undefined
  const { db } = parts.store
  const worker = run.workerId === null ? undefined : await getWorker(db, run.workerId)
  if (!canDo(worker?.info.capabilities, 'identity'))
    throw new TrueupError('PROTOCOL_MISMATCH', {
      doing: `making the tokens of run ${run.id}`,
      why: `worker ${worker?.name ?? run.workerId} is of a version that knows no \`identity:\``,
      next: 'Upgrade the worker.',
    })
  const repository = (await getRepository(db, run.repositoryId))!
  const mr = run.mrId === null ? undefined : await getMergeRequest(db, run.mrId)
  const branch = mr ? (run.kind === 'preview' ? mr.sourceBranch : mr.targetBranch) : repository.defaultBranch
  const causedBy = orderedById ?? (run.kind === 'preview' ? mr?.authorId : mr?.mergedById)
  const person = causedBy ? await getUser(db, causedBy) : undefined
  const claims = runClaims({
    repository,
    environment: definition.environment,
    stack: { id: run.stackId, name: definition.name },
    driver: definition.driver,
    phase,
    run,
    commit: run.commitOid,
    ref: `refs/heads/${branch}`,
    mr: mr?.number ?? null,
    actor: person?.name ?? 'system',
    worker: { name: worker!.name, pool: run.pool },
  })
  const issuer = parts.settings.issuerUrl()
  const signed = wanted.map(
    async ([name, audience]): Promise<[string, string]> => [
      name,
      await signToken(parts, { issuer, audience, lifeMs: definition.timeoutMs, claims }),
    ],
  )
  return Object.fromEntries(await Promise.all(signed))
}
