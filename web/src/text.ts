import type { Schemas } from './api/client.ts'

/** How a state is told: by shape and colour and word, never by colour alone. */
export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'hold' | 'idle'
export type Shape =
  | 'check'
  | 'half'
  | 'dot'
  | 'turning'
  | 'triangle'
  | 'cross'
  | 'diamond'
  | 'bar'
  | 'hexagon'
  | 'broken'
  | 'dotted'
  | 'square'
  | 'question'
export interface Look {
  label: string
  tone: Tone
  shape: Shape
  /** What it means, for hover and for help. */
  meaning: string
}

const look = (label: string, tone: Tone, shape: Shape, meaning: string): Look => ({ label, tone, shape, meaning })

const STATE: Record<string, Look> = {
  in_sync: look('In sync', 'ok', 'check', 'What is deployed is what Git says, and a check saw it so'),
  partly_checked: look(
    'Partly checked',
    'ok',
    'half',
    'What was looked at is in sync; some of it could not be looked at',
  ),
  pending: look('Pending', 'busy', 'dot', 'Git says something newer; its deployment waits'),
  deploying: look('Deploying', 'busy', 'turning', 'A deployment is under way'),
  awaiting_approval: look('Awaiting approval', 'hold', 'diamond', 'A plan waits for a person'),
  drifted: look('Drifted', 'warn', 'triangle', 'What is there has left what was deployed'),
  failed: look('Failed', 'bad', 'cross', 'The last deployment failed'),
  blocked: look('Blocked', 'bad', 'bar', 'Something it needs has failed, or it must not be deployed'),
  quarantined: look('Quarantined', 'hold', 'hexagon', 'What Git says was rolled back and is not deployed again'),
  unreachable: look('Unreachable', 'warn', 'broken', 'A check could not reach what it manages'),
  unknown: look('Unknown', 'warn', 'question', 'It was not looked at yet, or the last check of it failed'),
  orphaned: look('Orphaned', 'idle', 'square', 'It has left Git; what it made is still there'),
  new: look('New', 'idle', 'dotted', 'Not deployed yet'),
}

const RUN: Record<string, Look> = {
  queued: look('Queued', 'idle', 'dotted', 'Waits for its turn or a worker'),
  leased: look('Starting', 'busy', 'turning', 'A worker has taken it'),
  preparing: look('Preparing', 'busy', 'turning', 'The worker fetches its files'),
  planning: look('Planning', 'busy', 'turning', 'The tool makes the plan'),
  awaiting_approval: look('Awaiting approval', 'hold', 'diamond', 'The plan is another one than was approved'),
  applying: look('Applying', 'busy', 'turning', 'The tool changes things'),
  verifying: look('Verifying', 'busy', 'turning', 'What was applied is looked at'),
  succeeded: look('Succeeded', 'ok', 'check', 'Done'),
  failed: look('Failed', 'bad', 'cross', 'It ended with an error'),
  canceled: look('Cancelled', 'idle', 'bar', 'A person or something newer ended it'),
  superseded: look('Superseded', 'idle', 'square', 'Something newer took its place'),
  lost: look('Lost', 'bad', 'broken', 'Its worker fell silent during the apply'),
  blocked: look('Blocked', 'bad', 'bar', 'Something it depends on did not succeed'),
}

const MR: Record<Schemas['MergeRequestSummary']['state'], Look> = {
  open: look('Open', 'busy', 'dot', 'Can be reviewed'),
  merging: look('Merging', 'busy', 'turning', 'The branch is being moved'),
  merged: look('Merged', 'hold', 'check', 'It is part of the target branch'),
  closed: look('Closed', 'idle', 'bar', 'Closed without merging'),
}

const DRIFT: Record<Schemas['DriftState'], Look> = {
  open: look('Open', 'warn', 'triangle', 'It is so now'),
  healed: look('Healed', 'ok', 'check', 'Overwritten with what was deployed'),
  codified: look('Codified', 'ok', 'half', 'Written into Git'),
  accepted: look('Accepted', 'idle', 'bar', 'Let be, for a reason'),
  gone: look('Gone', 'idle', 'square', 'A later check saw nothing of it'),
}

const HEALTH: Record<Schemas['StackResources']['items'][number]['health'], Look> = {
  ok: look('As deployed', 'ok', 'check', 'Nothing is known to be the matter with it'),
  drifted: look('Drifted', 'warn', 'triangle', 'It has left what was deployed'),
  failed: look('Failed', 'bad', 'cross', 'The last deployment failed at it'),
  unchecked: look('Not checked', 'warn', 'half', 'The last look did not see it'),
  unknown: look('Unknown', 'idle', 'dotted', 'Not looked at yet'),
}

/** A word of the server that this page does not know yet: said as it is. */
const unknown = (word: string): Look =>
  look(word.replaceAll('_', ' '), 'idle', 'dotted', 'A state that this page does not know')

export const stateLook = (state: string): Look => STATE[state] ?? unknown(state)
export const runLook = (state: string): Look => RUN[state] ?? unknown(state)
export const mrLook = (state: Schemas['MergeRequestSummary']['state']): Look => MR[state]
export const healthLook = (health: keyof typeof HEALTH): Look => HEALTH[health]
export const driftLook = (state: Schemas['DriftState']): Look => DRIFT[state]
export const STATES = Object.keys(STATE) as Schemas['StackState'][]

export const KIND: Record<Schemas['RunKind'], string> = {
  preview: 'Preview',
  deploy: 'Deploy',
  drift: 'Drift check',
  heal: 'Heal',
  destroy: 'Destroy',
}

export const HOW: Record<Schemas['MergeRequest']['stacks'][number]['how'], string> = {
  added: 'new stack',
  changed: 'changed',
  removed: 'leaves Git',
  dependant: 'depends on a changed stack',
}

export const CAUSE: Record<string, string> = { config: 'configuration', input: 'an input', drift: 'drift' }
