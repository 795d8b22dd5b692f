import { createHmac } from 'node:crypto'
import type { Decision, Grant } from '../../domain/wire/worker-protocol.ts'
import { canDo } from '../../domain/wire/versions.ts'
import { isStateChanging } from '../../domain/runs/run.ts'
import { placeOfRun } from '../../domain/traces.ts'
import { phaseOf } from '../../domain/stacks/stack.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { traceparentOf } from '../../lib/tracing/ids.ts'
import type { JsonObject } from '../../lib/json.ts'
import { patchRun, type Run, transitionRun } from '../../store/runs/runs.ts'
import { requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { desiredDigestOf, destroyedDigest } from '../stacks/desired.ts'
import { isOvertakenHeal, OVERTAKEN } from '../drift/overtaken.ts'
import { resolveInputs } from '../stacks/inputs.ts'
import { runTokens } from '../identity/run-tokens.ts'
import { hashKeyOf } from '../keys.ts'
import { currentOutputs } from '../stacks/outputs.ts'
import { type EngineParts, workerActor } from '../parts.ts'
import { type RunSpec, specOfRun, specToJson } from '../run-spec.ts'
import { followUpIfEnded } from '../run-tasks.ts'
import { assertSignedHistory } from '../signatures/history.ts'
import { holdOf } from '../stacks/held.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { withPlaceholders } from '../merge-requests/placeholders.ts'
import { takePlace } from '../stacks/places.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { refreshStack } from '../stacks/status.ts'
import { noteSecrets, secretNames } from './run-events.ts'
import { getWorker } from '../../store/workers/workers.ts'
import { formerSecretsFor, plainVariables, variablesFor } from '../stacks/variables.ts'

/** What nobody has approved yet holds no slot for longer, whatever `timeout:` it brings along. */
const LONGEST_PREVIEW_MS = 60 * 60_000

/**
 * Makes the grant of a run that was just leased: resolves what is known only now (inputs, variables), and gives the run
 * back where a window is closed. Null: the run is not to be started now. Errors end the run.
 */
export async function makeGrant(parts: EngineParts, leased: Run): Promise<Grant | null> {
  const stack = await requireStack(parts.store.db, leased.stackId)
  const { unsigned } = specOfRun(leased)
  const where = { repositoryId: leased.repositoryId, environment: stack.environment }
  if (unsigned !== undefined) await assertSignedHistory(parts, { ...where, commitOid: unsigned })
  const run = leased.kind === 'destroy' ? await ofLastDeployed(parts, leased, stack) : leased
  const spec = specOfRun(run)
  const { definition } = spec
  const repository = await getRepository(parts.store.db, run.repositoryId)
  if (!repository)
    throw new TrueupError('NOT_FOUND', { doing: `starting run ${run.id}`, why: 'its repository is gone' })
  if (run.kind === 'heal' && isOvertakenHeal(stack, run))
    return await giveUp(parts, run, OVERTAKEN, 'the stack was changed since this heal was ordered')
  if (isStateChanging(run.kind) && (await heldByWindow(parts, run, stack))) return null

  const inputs = await inputsOf(parts, run, spec)
  const desiredDigest = spec.destroy
    ? destroyedDigest(spec.sourceDigest)
    : await desiredDigestOf(parts, run.repositoryId, spec, inputs)
  const looksBack = run.kind === 'drift' || run.kind === 'heal'
  if (looksBack && desiredDigest !== run.desiredDigest)
    return await giveUp(parts, run, 'pending_change', PENDING_CHANGE)
  if (desiredDigest !== run.desiredDigest)
    await parts.store.transaction((tx) => patchRun(tx, run.id, { desiredDigest }))
  if (definition.sops) await assertDecrypts(parts, run)
  const sandbox = await sandboxOf(parts, run, spec)
  const variables = spec.untrusted
    ? plainVariables(definition)
    : await variablesFor(parts.store.db, parts.keys, run.repositoryId, definition, 'plan')
  const identityTokens = await runTokens(parts, run, 'plan')
  await takePlace(parts, stack, run, { inputs, variables })
  await noteSecrets(parts, run, 'plan', {
    variables: secretNames(variables),
    tokens: Object.keys(identityTokens ?? {}),
    inputs: spec.placeholders ? [] : secretNames(inputs),
  })
  const hashKey = await hashKeyOf(parts, run.repositoryId)
  const mr = run.mrId === null ? undefined : await getMergeRequest(parts.store.db, run.mrId)
  return {
    runId: run.id,
    fence: run.fence,
    leaseMs: parts.settings.leaseMs,
    kind: run.kind,
    destroy: spec.destroy,
    stack: {
      id: stack.id,
      repository: repository.name,
      environment: stack.environment,
      name: stack.name,
      path: definition.path,
    },
    driver: definition.driver,
    driverConfig: definition.driverConfig as JsonObject,
    commit: run.commitOid,
    desiredDigest,
    paths: spec.paths,
    inputs: spec.placeholders ? withPlaceholders(inputs) : inputs,
    variables,
    formerSecrets: spec.untrusted
      ? []
      : await formerSecretsFor(parts.store.db, parts.keys, run.repositoryId, definition, 'plan'),
    ...(identityTokens && { identityTokens }),
    ...(stack.deployedCommit !== null && stack.deployedCommit !== run.commitOid && { deployedDiffers: true }),
    ...(definition.sops && { sops: true }),
    ...(definition.showSecretDiff && { showSecretDiff: true }),
    ignore: definition.ignore,
    ...(spec.awaits && { awaits: spec.awaits }),
    ...(definition.toolVersion !== undefined && { toolVersion: definition.toolVersion }),
    checks: run.kind === 'preview' ? definition.checks : [],
    verify: spec.destroy ? [] : definition.verify,
    timeoutMs: run.kind === 'preview' ? Math.min(definition.timeoutMs, LONGEST_PREVIEW_MS) : definition.timeoutMs,
    keys: { hash: hashKey.toString('base64'), plan: planKey(hashKey, run.id).toString('base64') },
    ...(sandbox && { sandbox }),
    ...(!spec.untrusted && {
      stateBackend: {
        address: `${parts.settings.publicUrl()}/api/v1/state/${stack.id}`,
        username: run.id,
        password: statePassword(hashKey, run),
      },
    }),
    codify: spec.codify ?? false,
    trace: traceparentOf(placeOfRun(run)),
    ...(mr?.origin === 'rollback' && { rollback: true }),
    ...(spec.request && { request: spec.request }),
  }
}

/** @throws SANDBOX_UNAVAILABLE where the worker is older than sandboxes: it would run the tools beside itself. */
async function sandboxOf(parts: EngineParts, run: Run, spec: RunSpec): Promise<Grant['sandbox']> {
  const { sandbox: asked, network = [] } = spec.definition
  if (!spec.untrusted && asked === undefined && network.length === 0) return undefined
  const worker = run.workerId === null ? undefined : await getWorker(parts.store.db, run.workerId)
  const mustBe = spec.untrusted || asked !== undefined
  const can = worker?.info.capabilities
  if (mustBe && !(Array.isArray(can) && can.includes('sandbox')))
    throw new TrueupError('SANDBOX_UNAVAILABLE', {
      doing: `starting run ${run.id}`,
      why: `worker ${worker?.name ?? run.workerId} is of a version without sandboxes`,
      next: 'Upgrade the worker, or approve the head of the merge request.',
    })
  return { untrusted: spec.untrusted ?? false, network, ...(asked && { asked }) }
}

/** @throws PROTOCOL_MISMATCH where the worker would take what SOPS has encrypted for what is meant */
async function assertDecrypts(parts: EngineParts, run: Run): Promise<void> {
  const worker = run.workerId === null ? undefined : await getWorker(parts.store.db, run.workerId)
  if (canDo(worker?.info.capabilities, 'sops')) return
  throw new TrueupError('PROTOCOL_MISMATCH', {
    doing: `starting run ${run.id}`,
    why: `worker ${worker?.name ?? run.workerId} is of a version that knows no \`sops:\``,
    next: 'Upgrade the worker.',
  })
}

/** What is destroyed is what was deployed last, also where a deployment was under way when the stack left Git. */
async function ofLastDeployed(parts: EngineParts, run: Run, stack: Stack): Promise<Run> {
  const deployed = stack.deployedConfig as unknown as RunSpec | null
  const { deployedCommit } = stack
  if (!deployed || deployedCommit === null || deployedCommit === run.commitOid) return run
  const { destroy, cause, orderedById } = specOfRun(run)
  const spec = { ...deployed, destroy, cause, ...(orderedById !== undefined && { orderedById }) }
  return await parts.store.transaction((tx) =>
    patchRun(tx, run.id, { commitOid: deployedCommit, spec: specToJson(spec) }, run.fence),
  )
}

/** Key that seals one run's native plan on its worker. */
const planKey = (hashKey: Buffer, runId: string): Buffer =>
  createHmac('sha256', hashKey).update(`plan:${runId}`).digest()

/**
 * Password of one lease of one run at the state backend: nothing has to be stored for it, and it is worth nothing once
 * the fencing token has moved on.
 */
export const statePassword = (hashKey: Buffer, run: Pick<Run, 'id' | 'fence'>): string =>
  createHmac('sha256', hashKey).update(`state:${run.id}:${run.fence}`).digest('base64url')

/**
 * A check or a heal is against what was deployed. Where inputs or variables have changed since, their old values are no
 * longer to be had, and the difference would be a pending change that looks like drift.
 */
const PENDING_CHANGE =
  'inputs or variables have changed since the deployment; drift is looked for again when they are deployed'

async function giveUp(parts: EngineParts, run: Run, reason: string, message: string): Promise<null> {
  await parts.store.transaction(async (tx) => {
    await transitionRun(tx, {
      runId: run.id,
      fence: run.fence,
      to: 'superseded',
      reason,
      message,
      actor: workerActor(run.workerId ?? ''),
    })
    await refreshStack(tx, run.stackId)
  })
  return null
}

/** For what is to be destroyed: some tools want values for their inputs all the same. What is not to be had is left out. */
async function lastInputs(parts: EngineParts, run: Run): Promise<Grant['inputs']> {
  const { definition } = specOfRun(run)
  const outputs = await currentOutputs(parts, run.repositoryId, definition)
  const known = Object.entries(definition.inputs).filter(([, from]) => outputs.get(from.stack)?.[from.output])
  const resolution = resolveInputs({ inputs: Object.fromEntries(known) }, (key) => outputs.get(key) ?? null, false)
  return resolution.status === 'resolved' ? resolution.inputs : {}
}

async function inputsOf(parts: EngineParts, run: Run, spec: RunSpec): Promise<Grant['inputs']> {
  if (spec.destroy && !spec.predicted) return await lastInputs(parts, run)
  if (!spec.predicted) return await deployedInputs(parts, run)
  if (!Object.values(spec.predicted).some(({ sensitive }) => sensitive)) return spec.predicted
  const deployed = await lastInputs(parts, run)
  const filled = Object.entries(spec.predicted).map(([name, input]) => [
    name,
    input.sensitive ? { ...input, value: deployed[name]?.value ?? null } : input,
  ])
  return Object.fromEntries(filled)
}

async function deployedInputs(parts: EngineParts, run: Run): Promise<Grant['inputs']> {
  const { definition } = specOfRun(run)
  const outputs = await currentOutputs(parts, run.repositoryId, definition)
  const resolution = resolveInputs(definition, (key) => outputs.get(key) ?? null, false)
  if (resolution.status === 'resolved') return resolution.inputs
  const { stack } = resolution
  const missing = resolution.status === 'missing' ? `has no output "${resolution.output}"` : 'has no known value'
  throw new TrueupError('CONFLICT', {
    doing: `resolving the inputs of stack ${definition.key}`,
    why: `${stack} ${missing}`,
    next: `Deploy ${stack} first, and see to it that it gives that output.`,
  })
}

/** Puts a run back into the queue where a window is closed or a freeze holds; whether it did. */
export async function heldByWindow(parts: EngineParts, run: Run, stack: Stack): Promise<boolean> {
  const hold = await holdOf(parts, run.repositoryId, stack.environment)
  if (hold === null) return false
  const { reason, message, notBefore } = hold
  await parts.store.transaction(async (tx) => {
    const held = await transitionRun(tx, {
      runId: run.id,
      fence: run.fence,
      to: 'queued',
      reason,
      message,
      patch: { notBefore },
      actor: workerActor(run.workerId ?? ''),
    })
    await followUpIfEnded(tx, held)
  })
  return true
}

/** The word to apply, with the variables of that phase. */
export async function applyDecision(parts: EngineParts, run: Run): Promise<Decision> {
  const { definition } = specOfRun(run)
  const phase = phaseOf('deploy')
  const identityTokens = await runTokens(parts, run, phase)
  const variables = await variablesFor(parts.store.db, parts.keys, run.repositoryId, definition, phase)
  const tokens = Object.keys(identityTokens ?? {})
  await noteSecrets(parts, run, phase, { variables: secretNames(variables), tokens, inputs: [] })
  return {
    action: 'apply',
    variables,
    formerSecrets: await formerSecretsFor(parts.store.db, parts.keys, run.repositoryId, definition, phase),
    ...(identityTokens && { identityTokens }),
  }
}
