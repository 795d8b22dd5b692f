import { describe, expect, it } from 'vitest'
import type { TrueupConfig } from '../config/schema.ts'
import { discoverStacks } from '../stacks/discover.ts'
import { gateChanges } from './changes.ts'

const CONFIG: TrueupConfig = {
  version: 1,
  environments: {
    staging: { tier: 'staging' },
    production: { tier: 'production', approvals: { required: 2 } },
  },
  stacks: [
    { path: 'web', driver: 'files', environments: ['staging', 'production'], checks: ['./lint'] },
    { path: 'lab', driver: 'files', environments: ['staging'] },
  ],
  policies: [{ name: 'p', when: 'true', then: 'warn' }],
}

const guarded = (config: TrueupConfig) => ({
  config,
  stacks: discoverStacks(config, ['web', 'lab', 'new']).stacks,
})

const changed = (edit: (config: TrueupConfig) => void) => {
  const proposed = structuredClone(CONFIG)
  edit(proposed)
  return gateChanges(guarded(CONFIG), guarded(proposed)).map(({ environment, what }) => ({ environment, what }))
}

describe('a change of the rules', () => {
  it('is none when nothing that guards an environment changes', () => {
    expect(changed(() => {})).toEqual([])
    expect(
      changed((config) => {
        config.stacks.push({ path: 'new', driver: 'files', environments: ['production'] })
        config.environments.lab = {}
        ;(config.stacks[0] as { with?: unknown }).with = { target: '/srv' }
      }),
    ).toEqual([])
  })

  it('names the environment whose approvals, windows, workers or tier change', () => {
    const production = (what: string) => [{ environment: 'production', what: [what] }]
    expect(changed((config) => (config.environments.production = { tier: 'production' }))).toEqual(
      production('approvals'),
    )
    expect(changed(({ environments }) => Object.assign(environments.production ?? {}, { windows: [] }))).toEqual(
      production('windows'),
    )
    expect(changed(({ environments }) => Object.assign(environments.production ?? {}, { workers: 'x' }))).toEqual(
      production('workers'),
    )
    const without = (config: TrueupConfig) => {
      delete config.environments.production
      config.stacks.shift()
    }
    expect(changed(without)).toEqual(production('the environment is removed'))
  })

  it('names every environment when trueup.yaml is removed', () => {
    expect(gateChanges(guarded(CONFIG), null).map(({ environment, what }) => [environment, what])).toEqual([
      ['staging', ['trueup.yaml is removed']],
      ['production', ['trueup.yaml is removed']],
    ])
  })

  it('names every environment when policies change', () => {
    expect(changed((config) => delete config.policies)).toEqual([
      { environment: 'staging', what: ['policies'] },
      { environment: 'production', what: ['policies'] },
    ])
  })

  it('names the checks of a stack in the environments that it is in', () => {
    expect(changed((config) => Object.assign(config.stacks[0] ?? {}, { checks: [] }))).toEqual([
      { environment: 'staging', what: ['checks of web'] },
      { environment: 'production', what: ['checks of web'] },
    ])
    expect(changed((config) => Object.assign(config.stacks[1] ?? {}, { onRemove: 'destroy' }))).toEqual([
      { environment: 'staging', what: ['onRemove of lab'] },
    ])
  })

  it('is found however the entry of the stack is written', () => {
    const production = { environment: 'production', what: ['verify of web'] }
    const staging = { environment: 'staging', what: ['verify of web'] }
    const rewritten = (entries: TrueupConfig['stacks']) =>
      changed((config) => void config.stacks.splice(0, 1, ...entries))
    const entry = { driver: 'files', checks: ['./lint'], verify: ['./evil'] }
    const environments = ['staging', 'production']
    expect(rewritten([{ ...entry, path: './web', environments }])).toEqual([staging, production])
    expect(rewritten([{ ...entry, path: 'we{b,c}', environments }])).toEqual([staging, production])
    expect(rewritten([{ ...entry, path: 'web', name: '{dir}', environments }])).toEqual([staging, production])
    const split = [
      { ...entry, path: 'web', environments: ['production'] },
      { path: 'web', driver: 'files', checks: ['./lint'], environments: ['staging'] },
    ]
    expect(rewritten(split)).toEqual([production])
  })

  it('is none when a new stack is healed as its environment says', () => {
    const target = structuredClone(CONFIG)
    Object.assign(target.environments.staging ?? {}, { drift: { mode: 'enforce' } })
    const what = (drift: object, environment: object = {}) => {
      const proposed = structuredClone(target)
      Object.assign(proposed.environments.staging ?? {}, environment)
      proposed.stacks.push({ path: 'new', driver: 'files', environments: ['staging'], drift })
      return gateChanges(guarded(target), guarded(proposed)).flatMap((change) => change.what)
    }
    expect(what({})).toEqual([])
    expect(what({ mode: 'observe' })).toEqual([])
    expect(what({ maxDestroys: 50 })).toEqual(['drift of the new new'])
    expect(what({}, { drift: { mode: 'enforce', maxDestroys: 50 } })).toEqual(['drift'])
  })

  it('binds to the commands of a new stack and to the rules of a new environment', () => {
    const digests = (verify: string[], workers: string) => {
      const proposed = structuredClone(CONFIG)
      proposed.environments.lab = { workers }
      proposed.stacks.push({ path: 'new', driver: 'files', environments: ['staging', 'lab'], verify })
      return Object.fromEntries(
        gateChanges(guarded(CONFIG), guarded(proposed)).map(({ environment, digest, what }) => [
          environment,
          { digest, what },
        ]),
      )
    }
    const [a, b] = [digests(['./smoke'], 'one'), digests(['./evil'], 'two')]
    expect(a.staging?.what).toEqual(['verify of the new new'])
    expect(a.lab?.what).toEqual(['the environment is new'])
    expect(a.staging?.digest).not.toBe(b.staging?.digest)
    expect(a.lab?.digest).not.toBe(b.lab?.digest)
    expect(Object.keys(digests([], 'one'))).toEqual(['lab'])
  })

  it('has a digest that follows the proposed rules', () => {
    const digest = (required: number) => {
      const proposed = structuredClone(CONFIG)
      proposed.environments.production = { tier: 'production', approvals: { required } }
      return gateChanges(guarded(CONFIG), guarded(proposed))[0]
    }
    expect(digest(1)).toMatchObject({ key: 'production/(rules)' })
    expect(digest(1)?.digest).toBe(digest(1)?.digest)
    expect(digest(1)?.digest).not.toBe(digest(0)?.digest)
  })
})
