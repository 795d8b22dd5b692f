import { describe, expect, it } from 'vitest'
import type { Review } from './votes.ts'
import { evaluateGate } from './gate.ts'
import type { GateEnvironment, GateFacts, GateStack } from './facts.ts'
import { RUN_STATES } from '../runs/run.ts'

const KEY = 'production/web'
const stack = (more: Partial<GateStack> = {}): GateStack => ({
  key: KEY,
  environment: 'production',
  name: 'web',
  preview: { state: 'succeeded', message: null },
  digest: 'd',
  provisional: false,
  unplannable: [],
  policies: [],
  checks: [],
  ...more,
})
const environment = (required = 1, more: Partial<GateEnvironment> = {}): GateEnvironment => ({
  name: 'production',
  rules: { required, from: [], codeOwners: false },
  unplannable: 'block',
  window: { open: true, reason: null, nextChangeAt: null },
  ...more,
})
const approval = (userId: string, digests: Review['digests'] = { [KEY]: 'd' }): Review => ({
  userId,
  userName: userId,
  verdict: 'approve',
  digests,
  at: 1,
})
const gate = (more: Partial<GateFacts> = {}) =>
  evaluateGate({
    state: 'open',
    draft: false,
    conflicts: [],
    problems: [],
    previewed: true,
    stacks: [stack()],
    environments: [environment()],
    reviews: [approval('ann')],
    makers: { authorId: 'author', pusherIds: [], namedIds: [], unknownTip: null },
    teamsOf: () => [],
    owned: [],
    strayOwned: [],
    ownersProblems: { standing: [], brought: [] },
    unresolvedThreads: 0,
    ...more,
  })
const unmet = (more: Partial<GateFacts>) => {
  const { mergeable, requirements } = gate(more)
  const open = requirements.filter(({ satisfied }) => !satisfied)
  for (const requirement of requirements) {
    expect(requirement.message).not.toBe('')
    expect(requirement.next === null).toBe(requirement.satisfied)
  }
  return { mergeable, names: open.map(({ name }) => name), message: open[0]?.message, next: open[0]?.next }
}

describe('the gate of a merge request', () => {
  it('opens when everything is met, and says what was looked at', () => {
    const { mergeable, requirements } = gate()
    expect(mergeable).toBe(true)
    expect(requirements.map(({ name }) => name)).toEqual(['config', 'conflicts', 'plans', 'approvals', 'threads'])
  })

  it('opens for a change that affects no stack', () => {
    expect(gate({ stacks: [], environments: [] }).mergeable).toBe(true)
  })

  it.each([
    ['state', { state: 'closed' }],
    ['state', { state: 'merged' }],
    ['draft', { draft: true }],
    ['conflicts', { conflicts: ['a.tf'] }],
    ['plans', { previewed: false }],
    ['plans', { stacks: [stack({ preview: null, digest: null })], reviews: [], environments: [environment(0)] }],
    ['approvals', { reviews: [] }],
    ['approvals', { environments: [] }],
    ['config', { problems: [{ code: 'CONFIG_CYCLE', doing: 'ordering', why: 'a → b → a', next: 'Break it.' }] }],
    ['checks', { stacks: [stack({ checks: [{ name: 'tflint', ok: false }] })] }],
    ['policies', { stacks: [stack({ policies: [{ name: 'p', outcome: 'deny', message: 'no' }] })] }],
    ['policies', { stacks: [stack({ policies: [{ name: 'p', outcome: 'error', message: 'broken' }] })] }],
    ['approvals', { stacks: [stack({ policies: [{ name: 'p', outcome: 'require-approval', message: 'x' }] })] }],
  ] satisfies [string, Partial<GateFacts>][])('is closed by %s: %o', (name, more) => {
    expect(unmet(more)).toMatchObject({ mergeable: false, names: [name] })
  })

  it('waits for every preview state but success', () => {
    for (const state of RUN_STATES) {
      const open = unmet({ stacks: [stack({ preview: { state, message: null } })] })
      expect(open.mergeable, state).toBe(state === 'succeeded')
      const ended = ['failed', 'canceled', 'lost'].includes(state)
      if (state !== 'succeeded') expect(open.message, state).toContain(ended ? 'no plan of web' : 'planning web')
    }
  })

  it('names the reason of a failed preview', () => {
    const failed = stack({ preview: { state: 'failed', message: 'terraform is not installed' }, digest: null })
    expect(unmet({ stacks: [failed] }).message).toBe('no plan of web (failed: terraform is not installed)')
  })

  it('does not stop at a failed provisional preview', () => {
    const failed = stack({
      key: 'production/app',
      name: 'app',
      provisional: true,
      preview: { state: 'failed', message: null },
    })
    const outcome = unmet({
      stacks: [stack(), { ...failed, digest: 'p' }],
      reviews: [approval('ann', { [KEY]: 'd', 'production/app': 'p' })],
    })
    expect(outcome).toMatchObject({ mergeable: true, names: ['plans'] })
  })

  it('asks for one more approval for an environment, however many of its policies say so', () => {
    const policies = [
      { name: 'a', outcome: 'require-approval', message: '' },
      { name: 'b', outcome: 'require-approval', message: '' },
    ] as const
    const asked = { stacks: [stack({ policies })] }
    expect(gate(asked).approvals.production?.required).toBe(2)
    expect(gate({ ...asked, environments: [environment(0)] }).mergeable).toBe(true)
    expect(gate({ ...asked, environments: [environment(0)], reviews: [] }).mergeable).toBe(false)
  })

  it('always asks for an approval when a stack is destroyed', () => {
    const destroyed = { stacks: [stack({ destroys: true })], environments: [environment(0)] }
    expect(gate({ ...destroyed, reviews: [] }).mergeable).toBe(false)
    expect(gate(destroyed).mergeable).toBe(true)
  })

  it('judges each environment by its own rules and plans', () => {
    const staging = stack({ key: 'staging/web', environment: 'staging', digest: 's' })
    const facts = { stacks: [stack(), staging], environments: [environment(), environment(1, { name: 'staging' })] }
    expect(gate({ ...facts, reviews: [approval('ann', { 'staging/web': 's', [KEY]: 'old' })] })).toMatchObject({
      mergeable: false,
      approvals: { production: { satisfied: false }, staging: { satisfied: true } },
    })
  })

  it('binds approvals to a change of the rules as to a plan', () => {
    const gateChange = { key: 'production/(rules)', digest: 'r', what: ['approvals'] }
    const facts = { stacks: [], environments: [environment(1, { gateChange })] }
    expect(unmet({ ...facts, reviews: [approval('ann', {})] })).toMatchObject({
      mergeable: false,
      names: ['approvals'],
    })
    expect(gate({ ...facts, reviews: [approval('ann', { 'production/(rules)': 'r' })] }).mergeable).toBe(true)
  })

  it('only warns of threads unless it is told to stop', () => {
    expect(unmet({ unresolvedThreads: 2 })).toMatchObject({ mergeable: true, message: '2 unresolved threads' })
    expect(unmet({ unresolvedThreads: 1, threadsBlock: true })).toMatchObject({ mergeable: false, names: ['threads'] })
  })

  it('holds back what an error kept from being planned, unless the environment allows to deploy it unseen', () => {
    const stacks = [stack({ unplannable: [{ address: 'web2', why: 'task failed', failed: true }] })]
    const held = unmet({ stacks, environments: [environment(0)] })
    expect(held).toMatchObject({ mergeable: false, names: ['plans'] })
    expect(held.next).toContain('unplannable: allow')
    expect(unmet({ stacks, environments: [environment(0, { unplannable: 'allow' })] }).mergeable).toBe(true)
    const provisional = stacks.map((each) => ({ ...each, provisional: true }))
    expect(unmet({ stacks: provisional, environments: [environment(0)] }).mergeable).toBe(true)
  })

  it('merges in a closed window, and says when it is deployed', () => {
    const window = { open: false, reason: 'deny fri 16:00 - mon 08:00', nextChangeAt: Date.UTC(2026, 0, 5, 7, 0) }
    const outcome = unmet({ environments: [environment(1, { window })] })
    expect(outcome).toMatchObject({ mergeable: true, names: ['window'] })
    expect(outcome.next).toBe('Merging is possible; it is deployed after 2026-01-05 07:00 UTC.')
    const frozen = { open: false, reason: 'frozen: audit', nextChangeAt: null }
    expect(unmet({ environments: [environment(1, { window: frozen })] }).next).toContain('when the freeze is lifted')
  })

  it('shows warnings of policies without stopping at them', () => {
    const policies = [{ name: 'big', outcome: 'warn', message: 'a large change' }] as const
    expect(unmet({ stacks: [stack({ policies })] })).toMatchObject({
      mergeable: true,
      message: 'big (web): a large change',
    })
  })

  it('keeps messages short in a change of hundreds of stacks', () => {
    const stacks = Array.from({ length: 500 }, (_, index) =>
      stack({ key: `production/s${index}`, name: `s${index}`, preview: null }),
    )
    expect(unmet({ stacks }).message).toBe('planning s0, s1, s2, s3, s4 and 495 more')
  })
})
