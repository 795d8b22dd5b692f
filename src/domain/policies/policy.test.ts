import { describe, expect, it } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import { change } from '../plans/fixtures.ts'
import { factsOf } from './fixtures.ts'
import { compilePolicy, evaluatePolicies, type PolicyFacts } from './policy.ts'
import { stopwatch } from '../stopwatch.testing.ts'

const policy = (when: string) => compilePolicy({ name: 'p', when, then: 'deny', message: 'no' })
const outcome = (when: string, facts: PolicyFacts = factsOf([])) => evaluatePolicies([policy(when)], facts)[0]?.outcome
const result = (when: string, facts: PolicyFacts = factsOf([])) => evaluatePolicies([policy(when)], facts)[0]

function refusal(when: string): string {
  try {
    policy(when)
  } catch (error) {
    if (error instanceof TrueupError && error.code === 'CONFIG_INVALID') return error.text.why
    throw error
  }
  return 'accepted'
}

describe('reading a policy', () => {
  it.each([
    ['plan.summary.delete >', /^line 1, column \d+: /],
    ['true &&\n  plan.sumary.delete > 0', 'line 2, column 8: No such key: sumary'],
    ['plan.changes.exists(c, c.adress == "x")', /^line 1, column 26: No such key: adress$/],
    ['mr != null && mr.auther == "x"', 'line 1, column 18: No such key: auther'],
    ['enviroment.tier == "production"', /enviroment/],
    ['plan.summary.delete', /gives int/],
    ['plan.summary.delete > "3"', /no such overload/],
    ['stack.name.matches("(a+)+$")', /glob\(\)/],
    ['[stack.name].join(",") == ""', /join\(\) is not available/],
    ['cel.bind(x, stack.name, x == x)', /bind\(\) is not available/],
    ['timestamp("2026-01-01T00:00:00Z") > timestamp("2025-01-01T00:00:00Z")', /timestamp\(\) is not available/],
    ['[stack.name].map(x, x + x).exists(x, x == "")', /has to be a constant/],
    ['[1].all(a, [1].all(b, [1].all(c, [1].all(d, a == d))))', /3 deep/],
    ['('.repeat(300) + 'true' + ')'.repeat(300), /line 1/],
    [Array.from({ length: 600 }, () => 'true').join('&&'), /line 1/],
  ])('refuses %s', (when, why) => {
    if (typeof why === 'string') expect(refusal(when)).toBe(why)
    else expect(refusal(when)).toMatch(why)
  })

  it.each([
    'true',
    'mr == null || mr.draft',
    'size(plan.changes) > 3 && plan.changes.all(c, c.attributes.all(a, a.path != ""))',
    'plan.changes.filter(c, c.cause == "drift").map(c, c.address + "!").exists(a, a.endsWith("!"))',
    'plan.changes.exists(c, c.address.split(".")[0].lowerAscii() == stack.name.trim())',
    'plan.changes.map(c, c.address).filter(a, a.glob("x*")).map(a, size(a)).all(n, n > 0)',
  ])('accepts %s', (when) => {
    expect(refusal(when)).toBe('accepted')
  })
})

describe('evaluating policies', () => {
  const attributes = [
    { path: 'port', before: 80, after: 22 },
    { path: 'ratio', after: 0.5 },
    { path: 'labels', after: JSON.parse('{"team": "a", "size": {"cpu": 2}, "__proto__": 7}') },
    { path: 'id', unknown: true },
  ]
  const facts = factsOf([change('web.one', attributes)])
  const attribute = (path: string, condition: string) =>
    outcome(`plan.changes.exists(c, c.attributes.exists(a, a.path == "${path}" && ${condition}))`, facts)

  it('sees values of every type', () => {
    expect(attribute('port', 'a.after == 22 && a.before > 22')).toBe('deny')
    expect(attribute('ratio', 'a.after < 0.6')).toBe('deny')
    expect(attribute('labels', 'a.after.team == "a" && a.after.size.cpu == 2 && a.before == null')).toBe('deny')
    expect(attribute('labels', 'has(a.after.size) && !has(a.after.nothing)')).toBe('deny')
    expect(attribute('id', 'a.unknown && a.after == null')).toBe('deny')
    expect(attribute('port', 'a.after == 23')).toBe('pass')
  })

  it('gives every policy a result, in order', () => {
    const policies = [
      compilePolicy({ name: 'a', when: 'true', then: 'warn', message: 'w' }),
      compilePolicy({ name: 'b', when: 'mr.draft', then: 'deny' }),
      compilePolicy({ name: 'c', when: 'stack.driver == "files"', then: 'require-approval' }),
    ]
    expect(evaluatePolicies(policies, factsOf([]))).toEqual([
      { name: 'a', outcome: 'warn', message: 'w' },
      { name: 'b', outcome: 'pass', message: '' },
      { name: 'c', outcome: 'require-approval', message: 'the condition holds: stack.driver == "files"' },
    ])
    expect(evaluatePolicies([], factsOf([]))).toEqual([])
  })

  it('blocks when a condition errs, and says why', () => {
    const withoutMr = factsOf([], { mr: null })
    expect(result('mr.draft', withoutMr)).toMatchObject({ outcome: 'error' })
    expect(result('mr.draft', withoutMr)?.message).toMatch(/could not be evaluated, and blocks until it can: .*\S/)
    expect(outcome('plan.changes[7].address == ""')).toBe('error')
    expect(outcome('plan.summary.delete / plan.summary.create > 1')).toBe('error')
    expect(attribute('labels', 'a.after > 3')).toBe('error')
    expect(outcome('plan.changes[0].attributes[2].after', facts)).toBe('error')
  })

  it('stops a condition that takes too long, blocks, and goes on with the next', () => {
    const many = factsOf(Array.from({ length: 3_000 }, (_, index) => change(`x${index}`)))
    const slow = 'plan.changes.all(a, plan.changes.all(b, plan.changes.all(c, a.address + "" != "")))'
    const started = performance.now()
    const results = evaluatePolicies([policy(slow), policy('size(plan.changes) == 3000')], many)
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(results.map(({ outcome: is }) => is)).toEqual(['error', 'deny'])
    expect(results[0]?.message).toContain('takes longer than 2000 ms')
  })

  it('does not give each of many slow conditions its time: the server would do nothing else', () => {
    const many = factsOf(Array.from({ length: 3_000 }, (_, index) => change(`x${index}`)))
    const slow = 'plan.changes.all(a, plan.changes.all(b, plan.changes.all(c, a.address + "" != "")))'
    const elapsed = stopwatch()
    const results = evaluatePolicies(Array(20).fill(policy(slow)), many)
    expect(elapsed()).toBeLessThan(8_000)
    expect(results.map(({ outcome: is }) => is)).toEqual(Array(20).fill('error'))
    expect(results.at(-1)?.message).toContain('the policies before it took 3000 ms')
  })

  it('looks through the largest plan in time', () => {
    const list = Array.from({ length: 20_000 }, (_, index) => change(`x${index}`, [{ path: 'a', after: index }]))
    expect(outcome('plan.changes.exists(c, c.attributes.exists(a, a.after == 19999))', factsOf(list))).toBe('deny')
  })

  it('matches globs in time that grows with the text, not with its powers', () => {
    const facts = factsOf([change('a'.repeat(20_000))])
    const elapsed = stopwatch()
    expect(outcome('plan.changes.exists(c, c.address.glob("*a*a*a*a*a*a*a*a*b"))', facts)).toBe('pass')
    expect(elapsed()).toBeLessThan(1_000)
  })
})
