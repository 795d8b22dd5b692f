import { createHmac } from 'node:crypto'
import type { StackSource } from '../../engine/snapshot/snapshot.ts'
import { digestibleInputs, fullDigest, resolveInputs } from '../../engine/stacks/inputs.ts'
import type { Output } from '../../domain/plans/plan.ts'
import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { newId } from '../../lib/ids.ts'
import type { Grant } from '../../worker/protocol.ts'

/** What is known of the outputs of other stacks: as deployed, or as planned in this very pipeline. */
export type KnownOutputs = (stack: string) => { [name: string]: Output } | null

/** A stack as it is to be, with what it takes from others. */
export interface DesiredState {
  inputs: { [name: string]: ResolvedInput }
  digest: string
}

/** Resolves what a stack takes from others. CONFLICT where something of it is not there. */
export async function desiredState(
  { definition, sourceDigest }: StackSource,
  outputsOf: KnownOutputs,
  { hash, predicted = false, destroy = false }: { hash: string; predicted?: boolean; destroy?: boolean },
): Promise<DesiredState> {
  if (destroy)
    return { inputs: {}, digest: fullDigest({ sourceDigest, inputs: {}, variableVersions: {}, destroy: true }) }
  const resolution = resolveInputs(definition, outputsOf, predicted)
  if (resolution.status !== 'resolved') {
    const { stack } = resolution
    const why = resolution.status === 'unknown' ? 'has no value for it before it is applied' : 'has not given it'
    const input = 'input' in resolution ? resolution.input : ''
    throw new TrueupError('CONFLICT', {
      doing: `resolving the input "${input}" of ${definition.key}`,
      why: `${stack} ${why}`,
      next: `Deploy ${stack} first, and see to it that it gives that output.`,
      details: { takesFrom: stack },
    })
  }
  const { inputs } = resolution
  const digestible = await digestibleInputs(inputs, async () => Buffer.from(hash, 'base64'))
  const digest = fullDigest({ sourceDigest, inputs: digestible, variableVersions: {}, destroy: false })
  return { inputs, digest }
}

export interface OrderFacts {
  kind: 'preview' | 'deploy' | 'drift' | 'destroy'
  repository: string
  commit: string
  source: StackSource
  desired: DesiredState
  deployedDiffers: boolean
  /** Base64. */
  hash: string
  /** Values of the job's environment that are to be hidden, by variable. */
  secrets: { readonly [name: string]: string }
}

/** What the bench is to do at one stack. Variables of the job are its tools' anyway; here are those to be hidden. */
export function orderFor(facts: OrderFacts): Grant {
  const { kind, commit, source, desired, hash } = facts
  const { definition, paths } = source
  const { key, environment, name, path, driver, driverConfig, ignore, toolVersion, sandbox, network } = definition
  const runId = newId('run')
  const isPreview = kind === 'preview'
  return {
    runId,
    fence: 1,
    leaseMs: 60_000,
    kind,
    destroy: kind === 'destroy',
    stack: { id: key, repository: facts.repository, environment, name, path },
    driver,
    driverConfig,
    commit,
    desiredDigest: desired.digest,
    paths,
    inputs: desired.inputs,
    variables: variablesOf(facts),
    ...(facts.deployedDiffers && { deployedDiffers: true }),
    ...(definition.sops && { sops: true }),
    ...(definition.showSecretDiff && { showSecretDiff: true }),
    ignore,
    ...(toolVersion !== undefined && { toolVersion }),
    checks: isPreview ? definition.checks : [],
    verify: kind === 'deploy' ? definition.verify : [],
    timeoutMs: definition.timeoutMs,
    keys: { hash, plan: createHmac('sha256', Buffer.from(hash, 'base64')).update(`plan:${runId}`).digest('base64') },
    ...((sandbox !== undefined || network !== undefined) && {
      sandbox: { untrusted: false, network: network ?? [], ...(sandbox && { asked: sandbox }) },
    }),
    codify: false,
  }
}

/** Plain ones of trueup.yaml, and secrets of the job, in either phase. */
export const variablesOf = ({ source, secrets }: Pick<OrderFacts, 'source' | 'secrets'>): Grant['variables'] => ({
  ...Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, { value, secret: true }])),
  ...Object.fromEntries(
    Object.entries(source.definition.variables).map(([name, value]) => [name, { value, secret: false }]),
  ),
})
