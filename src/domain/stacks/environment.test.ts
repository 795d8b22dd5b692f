import { describe, expect, it } from 'vitest'
import { parseConfig } from '../config/parse.ts'
import { driftRules, resolveEnvironment } from './environment.ts'

const rules = (keys: string, name = 'live') =>
  resolveEnvironment(name, parseConfig(`version: 1\nenvironments:\n  live: {${keys}}\nstacks: []\n`))

describe('resolveEnvironment', () => {
  it('is open and observant by default', () => {
    expect(rules('')).toEqual({
      name: 'live',
      tier: 'development',
      approvals: { required: 0, from: [], codeOwners: false, rollback: 'none' },
      windows: [],
      onFailure: 'stop',
      unplannable: 'block',
      trust: 'contributors',
      drift: { mode: 'observe', intervalMs: 600_000, maxDestroys: null },
      pool: 'default',
      signatures: null,
      stepUpMs: null,
      protected: false,
    })
  })

  it('is careful in production', () => {
    expect(rules('tier: production')).toMatchObject({
      approvals: { required: 1, rollback: 'one' },
      drift: { maxDestroys: 0 },
      protected: true,
    })
  })

  it('production without approvals is still protected, and approvals protect any tier', () => {
    expect(rules('tier: production, approvals: { required: 0 }')).toMatchObject({
      protected: true,
      approvals: { required: 0 },
    })
    expect(rules('tier: staging, approvals: { required: 1 }').protected).toBe(true)
    expect(rules('tier: staging').protected).toBe(false)
  })

  it('takes what is said', () => {
    expect(
      rules(
        'tier: production, onFailure: rollback, workers: edge, windows: [{ deny: sat }], approvals: { required: 2, from: ["team:a:b", "user:ann"], codeOwners: true, rollback: same }, drift: { mode: enforce, interval: 90s, maxDestroys: 3 }',
      ),
    ).toMatchObject({
      approvals: {
        required: 2,
        from: [
          { kind: 'team', name: 'a:b' },
          { kind: 'user', name: 'ann' },
        ],
        codeOwners: true,
        rollback: 'same',
      },
      windows: [{ deny: 'sat' }],
      onFailure: 'rollback',
      pool: 'edge',
      drift: { mode: 'enforce', intervalMs: 90_000, maxDestroys: 3 },
    })
  })

  it.each(['lvie', 'constructor', ''])('knows no environment %j', (name) => {
    expect(() => rules('', name)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

it('lays drift settings over others key by key', () => {
  const under = { mode: 'enforce', intervalMs: 1000, maxDestroys: 0 } as const
  expect(driftRules({ interval: '5s' }, under)).toEqual({ mode: 'enforce', intervalMs: 5000, maxDestroys: 0 })
  expect(driftRules({ mode: 'observe', maxDestroys: 2 }, under)).toEqual({
    mode: 'observe',
    intervalMs: 1000,
    maxDestroys: 2,
  })
  expect(driftRules(undefined, under)).toEqual(under)
})
