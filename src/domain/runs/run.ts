/**
 * What a run is for. `preview` and `drift` only read; `deploy`, `heal` and `destroy` change things and are serialised
 * per stack.
 */
export const RUN_KINDS = ['preview', 'deploy', 'drift', 'heal', 'destroy'] as const
export type RunKind = (typeof RUN_KINDS)[number]

export const RUN_STATES = [
  'queued',
  'leased',
  'preparing',
  'planning',
  'awaiting_approval',
  'applying',
  'verifying',
  'succeeded',
  'failed',
  'canceled',
  'superseded',
  'blocked',
  'lost',
] as const
export type RunState = (typeof RUN_STATES)[number]

/** Kinds that change the world: one at a time for a stack. */
export const CHANGING_KINDS = ['deploy', 'heal', 'destroy'] as const satisfies RunKind[]
export const isStateChanging = (kind: RunKind): boolean => (CHANGING_KINDS as readonly RunKind[]).includes(kind)

/** States in which a worker holds the lease. */
export const LEASED_STATES = ['leased', 'preparing', 'planning', 'applying', 'verifying'] as const satisfies RunState[]

/**
 * The state machine of a run. Rows are "from", members are every legal "to"; the store refuses anything else.
 *
 * - `leased|preparing|planning → queued`: the lease expired or the worker gave the run back before it changed anything.
 * - `planning → awaiting_approval → queued`: the plan was not what was approved; after an approval it is planned afresh
 *   and applied only when it equals the newly approved digest.
 * - `applying|verifying → lost`: the lease expired while the world may have been changing. Terminal: a new run follows.
 * - `blocked → queued`: the upstream run that it waited for has succeeded.
 */
export const RUN_TRANSITIONS: { readonly [From in RunState]: readonly RunState[] } = {
  queued: ['leased', 'canceled', 'superseded', 'blocked', 'failed'],
  leased: ['preparing', 'queued', 'failed', 'canceled', 'superseded'],
  preparing: ['planning', 'queued', 'failed', 'canceled', 'superseded'],
  planning: ['succeeded', 'awaiting_approval', 'applying', 'queued', 'failed', 'canceled', 'superseded'],
  awaiting_approval: ['queued', 'canceled', 'superseded', 'failed'],
  applying: ['verifying', 'succeeded', 'failed', 'canceled', 'lost'],
  verifying: ['succeeded', 'failed', 'canceled', 'lost'],
  blocked: ['queued', 'canceled', 'superseded', 'failed'],
  succeeded: [],
  failed: [],
  canceled: [],
  superseded: [],
  lost: [],
}

export const canTransition = (from: RunState, to: RunState): boolean => RUN_TRANSITIONS[from].includes(to)
export const isFinal = (state: RunState): boolean => RUN_TRANSITIONS[state].length === 0

/** States of a run that has not ended. */
export const PENDING_STATES: readonly RunState[] = RUN_STATES.filter((state) => !isFinal(state))

const STATE_WORDS: { readonly [State in RunState]: string } = {
  queued: 'waiting for a worker',
  leased: 'taken by a worker',
  preparing: 'preparing the workspace',
  planning: 'planning',
  awaiting_approval: 'waiting for approval',
  applying: 'applying',
  verifying: 'verifying',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
  superseded: 'superseded by a newer run',
  blocked: 'blocked by another stack',
  lost: 'lost: its worker stopped answering while applying',
}

/** A state in words for people, with its machine reason where there is one: `waiting for approval (plan changed)`. */
export function describeState(state: RunState, reason: string | null = null): string {
  return reason === null ? STATE_WORDS[state] : `${STATE_WORDS[state]} (${reason.replaceAll('_', ' ')})`
}
