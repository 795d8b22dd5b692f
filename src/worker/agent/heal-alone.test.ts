import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../domain/config/parse.ts'
import type { DriverPlan, ResourceChange } from '../../domain/plans/plan.ts'
import { discoverStacks } from '../../domain/stacks/discover.ts'
import { resolveEnvironment } from '../../domain/stacks/environment.ts'
import { decideHeal, type HealMemory, type HealRules, NO_HEALS } from './heal-alone.ts'

const NOW = Date.parse('2026-11-27T20:00:00Z')

const rules = (environment: object = {}, policies: object[] = []): HealRules => {
  const config = parseConfig(
    JSON.stringify({
      version: 1,
      environments: { production: { drift: { mode: 'enforce', maxDestroys: 0 }, ...environment } },
      stacks: [{ path: 'web', driver: 'files', with: { target: '/srv' } }],
      policies,
    }),
  )
  const [definition] = discoverStacks(config, ['web']).stacks
  return {
    definition: definition!,
    environment: resolveEnvironment('production', config),
    policies: config.policies ?? [],
  }
}
const change = (action: ResourceChange['actions'][number]): ResourceChange => ({
  address: 'motd',
  type: 'file',
  actions: [action],
  attributes: [{ path: 'content', before: 'b', after: 'a' }],
  cause: 'drift',
})
const plan = (...changes: ResourceChange[]): DriverPlan => ({
  changes,
  coverage: { checked: 1, unchecked: [] },
  outputs: {},
  findings: [],
  toolVersions: {},
})
const decide = (found: DriverPlan, by: HealRules, memory: HealMemory = NO_HEALS, now = NOW) =>
  decideHeal(found, by, { memory, now, desiredDigest: 'd' })

describe('drift that is seen while the server is away', () => {
  it('is healed at once, and the next time later', () => {
    const first = decide(plan(change('update')), rules())
    if (first.decision.action !== 'heal') throw new Error(first.decision.action)
    expect(first.decision.memory.heals).toEqual([{ address: 'motd', attribute: 'content', at: NOW }])
    expect(decide(plan(change('update')), rules(), first.decision.memory).decision).toEqual({
      action: 'leave',
      outcome: 'backoff',
      why: expect.any(String),
      again: NOW + 2_000,
    })
    expect(decide(plan(change('update')), rules(), first.decision.memory, NOW + 2_000).decision.action).toBe('heal')
  })

  it.each<[string, HealRules, string]>([
    ['the mode says so', rules({ drift: { mode: 'observe' } }), 'seen'],
    ['a window is closed', rules({ windows: [{ deny: 'fri 16:00 - mon 08:00', timezone: 'UTC' }] }), 'window'],
    ['a policy asks for a person', rules({}, [{ name: 'p', when: 'true', then: 'require-approval' }]), 'held'],
    ['a policy denies it', rules({}, [{ name: 'p', when: 'plan.summary.update > 0', then: 'deny' }]), 'held'],
  ])('is left where %s', (_why, by, outcome) => {
    expect(decide(plan(change('update')), by).decision).toMatchObject({ action: 'leave', outcome })
  })

  it('is left where healing would delete more than the brake allows', () => {
    expect(decide(plan(change('delete')), rules()).decision).toMatchObject({ action: 'leave', outcome: 'held' })
  })

  it('is left where somebody keeps writing it', () => {
    const heals = [1, 2, 3, 4, 5].map((minute) => ({
      address: 'motd',
      attribute: 'content',
      at: NOW - minute * 60_000,
    }))
    expect(decide(plan(change('update')), rules(), { ...NO_HEALS, heals }).decision).toMatchObject({
      action: 'leave',
      outcome: 'flapping',
    })
  })

  it('that is none counts towards peace', () => {
    expect(decide(plan(), rules())).toMatchObject({
      decision: { action: 'nothing' },
      memory: { backoff: { stableSince: NOW } },
    })
  })
})
