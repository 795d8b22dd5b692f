import { describe, expect, it } from 'vitest'
import { decideDeploy, type DecisionFacts } from './deploy-decision.ts'
import type { Plan, ResourceChange, Unchecked } from '../plans/plan.ts'
import { completePlan } from '../plans/complete.ts'

const change = (address: string, after: string, actions: ResourceChange['actions'] = ['update']): ResourceChange => ({
  address,
  type: 'file',
  actions,
  attributes: [{ path: 'content', before: 'old', after }],
  cause: 'config',
})

function planOf(...changes: ResourceChange[]): Plan {
  return completePlan(
    { changes, coverage: { checked: 1, unchecked: [] }, outputs: {}, findings: [], toolVersions: { tool: '1.2.3' } },
    { desiredDigest: 'sha256:d', ignore: [], unstable: [], cause: null },
  )
}

const facts = (patch: Partial<DecisionFacts>): DecisionFacts => ({
  kind: 'deploy',
  plan: planOf(change('a', '1')),
  approved: null,
  approvedHere: false,
  protected: true,
  policies: [],
  brake: null,
  afterLostApply: false,
  quarantined: false,
  unplannable: 'block',
  ...patch,
})

describe('what becomes of a fresh plan', () => {
  it('has nothing to do with an empty one, even in quarantine', () => {
    expect(decideDeploy(facts({ plan: planOf(), quarantined: true }))).toEqual({ action: 'nothing' })
  })

  describe('that could not look at everything', () => {
    const unseen = (unchecked: Unchecked[], ...changes: ResourceChange[]): Plan =>
      completePlan(
        { ...planOf(...changes), coverage: { checked: 1, unchecked } },
        { desiredDigest: 'sha256:d', ignore: [], unstable: [], cause: null },
      )
    const plan = unseen([{ address: 'web2', why: 'off' }])

    it('is applied though it shows no change: as approved, or where nobody has to', () => {
      expect(decideDeploy(facts({ plan, approved: plan }))).toEqual({ action: 'apply', why: 'approved' })
      expect(decideDeploy(facts({ plan, protected: false }))).toEqual({ action: 'apply', why: 'unprotected' })
      expect(decideDeploy(facts({ plan }))).toMatchObject({ action: 'wait', reason: 'not_approved' })
      expect(decideDeploy(facts({ plan, approved: planOf() }))).toMatchObject({ reason: 'plan_changed' })
    })

    it('has nothing for a heal to do, which answers to what was seen', () => {
      expect(decideDeploy(facts({ plan, kind: 'heal' }))).toEqual({ action: 'nothing' })
    })

    it('is less than approved where more could be looked at, or less of the same', () => {
      const less = unseen([{ address: 'web2/task', why: 'no' }])
      const none = unseen([], change('a', '1'))
      expect(decideDeploy(facts({ plan: less, approved: plan }))).toMatchObject({ why: 'fewer_than_approved' })
      const approved = unseen([{ address: 'web2', why: 'off' }], change('a', '1'))
      expect(decideDeploy(facts({ plan: none, approved }))).toMatchObject({ why: 'fewer_than_approved' })
      expect(decideDeploy(facts({ plan, approved: less }))).toMatchObject({
        reason: 'plan_changed',
        message: expect.stringContaining('web2 could not be checked'),
      })
    })

    it('waits where an error kept it from planning, unless that was approved or is allowed', () => {
      const broken = unseen([{ address: 'web2', why: 'task failed', failed: true }], change('a', '1'))
      for (const kind of ['deploy', 'heal'] as const)
        expect(decideDeploy(facts({ kind, plan: broken, protected: false }))).toMatchObject({
          reason: 'unplannable',
          message: 'web2 could not be planned: task failed',
        })
      const was = unseen([{ address: 'web2', why: 'off' }], change('a', '1'))
      expect(decideDeploy(facts({ plan: broken, approved: was }))).toMatchObject({ reason: 'unplannable' })
      expect(decideDeploy(facts({ plan: broken, approved: broken }))).toMatchObject({ why: 'approved' })
      expect(decideDeploy(facts({ plan: broken, approvedHere: true }))).toMatchObject({ why: 'approved' })
      expect(decideDeploy(facts({ plan: broken, protected: false, unplannable: 'allow' }))).toMatchObject({
        why: 'unprotected',
      })
    })
  })

  it('applies exactly what was approved', () => {
    const decision = decideDeploy(facts({ approved: planOf(change('a', '1')) }))
    expect(decision).toEqual({ action: 'apply', why: 'approved' })
  })

  it('applies strictly fewer of the approved changes', () => {
    const decision = decideDeploy(facts({ approved: planOf(change('a', '1'), change('b', '1')) }))
    expect(decision).toEqual({ action: 'apply', why: 'fewer_than_approved' })
  })

  it('waits and names the difference when reality moved', () => {
    const decision = decideDeploy(facts({ plan: planOf(change('a', '2')), approved: planOf(change('a', '1')) }))
    expect(decision).toMatchObject({ action: 'wait', reason: 'plan_changed', message: expect.stringContaining('a') })
  })

  it('waits in a protected environment where nobody approved, and goes on elsewhere', () => {
    expect(decideDeploy(facts({}))).toMatchObject({ action: 'wait', reason: 'not_approved' })
    expect(decideDeploy(facts({ protected: false }))).toEqual({ action: 'apply', why: 'unprotected' })
  })

  it('never destroys a stack without an approval, wherever it is', () => {
    const destroy = facts({ kind: 'destroy', protected: false, plan: planOf(change('a', '', ['delete'])) })
    expect(decideDeploy(destroy)).toMatchObject({ action: 'wait', reason: 'destroys' })
    expect(decideDeploy({ ...destroy, approved: destroy.plan })).toMatchObject({ action: 'apply' })
  })

  it('does not repeat a lost apply, approved or not, until a person says so', () => {
    const lost = facts({ approved: planOf(change('a', '1')), afterLostApply: true, protected: false })
    expect(decideDeploy(lost)).toMatchObject({ action: 'wait', reason: 'previous_attempt_lost' })
    expect(decideDeploy({ ...lost, approvedHere: true })).toMatchObject({ action: 'apply' })
  })

  it('holds a heal at the brake and lets an approval release it', () => {
    const heal = facts({ kind: 'heal', brake: 'would delete 3' })
    expect(decideDeploy(heal)).toMatchObject({ action: 'wait', reason: 'brake' })
    expect(decideDeploy({ ...heal, approvedHere: true })).toMatchObject({ action: 'apply' })
    expect(decideDeploy({ ...heal, brake: null })).toEqual({ action: 'apply', why: 'heal' })
  })

  it('refuses what a policy denies or cannot judge, also after an approval', () => {
    for (const outcome of ['deny', 'error'] as const) {
      const policies = [{ name: 'p', outcome, message: 'no' }]
      expect(decideDeploy(facts({ policies, approvedHere: true }))).toMatchObject({ reason: 'policy_denied' })
    }
  })

  it('refuses a quarantined desired state', () => {
    expect(decideDeploy(facts({ quarantined: true, protected: false }))).toMatchObject({ reason: 'quarantined' })
  })
})
