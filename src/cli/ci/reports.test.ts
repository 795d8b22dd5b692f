import { XMLParser } from 'fast-xml-parser'
import { expect, it } from 'vitest'
import { change, plan } from '../../domain/plans/fixtures.ts'
import { makeKey, openKey } from './key.ts'
import type { PlannedStack, PlanReport } from './planned.ts'
import { junitOf, markdownOf, outcomesOfPlan } from './reports.ts'
import { vouch, vouchedBy, vouchingIn } from './vouching.ts'

const planOf = () => plan([change('web/index.html', [{ path: 'content', before: 'a', after: 'b' }])])

const stack = (its: Partial<PlannedStack> = {}): PlannedStack => ({
  stack: 'live/web',
  driver: 'files',
  how: 'changed',
  provisional: false,
  policies: [],
  checks: [],
  ...its,
})
const report = (stacks: PlannedStack[], vouched: string | null = null): PlanReport => ({
  change: 4,
  head: 'a'.repeat(40),
  target: 'b'.repeat(40),
  stacks,
  signed: vouched !== null,
  vouched,
})

it('keeps what others have written out of the markup', () => {
  const hostile = '</failure><testcase name="x"/>]]> & "quoted" \u0000\u001b[31m'
  const error = { code: 'TOOL_FAILED', doing: hostile, why: hostile, next: 'n' } as const
  const xml = junitOf('trueup ci plan', outcomesOfPlan(report([stack({ error })])))
  const { testsuites } = new XMLParser({ ignoreAttributes: false }).parse(xml)
  expect(testsuites.testsuite.testcase['@_name']).toBe('live/web')
  expect(testsuites.testsuite.testcase.failure['#text']).toContain('</failure><testcase name="x"/>')
  // oxlint-disable-next-line no-control-regex -- that is what must not be there
  expect(xml).not.toMatch(/[\u0000-\u0008\u001b]/)
})

it('signs what is last in the text, whatever plans hold', async () => {
  const key = await openKey(await makeKey())
  const about = { repository: 'r', change: 4, head: 'h', target: 't' }
  const token = await vouch(key, about, new Map([['live/web', planOf()]]), { short: true })
  const planted = `<!-- trueup-vouched: ${await (await openKey(await makeKey())).sign(Buffer.from('x'))} -->`
  const error = { code: 'TOOL_FAILED', doing: planted, why: planted, next: planted } as const
  const text = markdownOf(report([stack({ error })], token), { comment: true })
  expect(vouchingIn(text)).toBe(token)
  expect(await vouchedBy(key, vouchingIn(text)!)).toMatchObject({ ...about, plans: { 'live/web': {} } })
  expect(await vouchedBy(await openKey(await makeKey()), token)).toBeNull()
})

it('fits into a comment, with whole plans or their digests', async () => {
  const key = await openKey(await makeKey())
  const about = { repository: 'r', change: 4, head: 'h', target: 't' }
  const long = (name: number) => ({ ...planOf(), digest: `sha256:${name}`.padEnd(71, '0') })
  const many = Array.from({ length: 300 }, (_, name) => name)
  const token = await vouch(key, about, new Map(many.map((name) => [`live/stack-${name}`, long(name)])), {
    short: true,
  })
  const stacks = many.map((name) => stack({ stack: `live/stack-${name}`, plan: long(name) }))
  const text = markdownOf(report(stacks, token), { comment: true })
  expect(text.length).toBeLessThan(65_000)
  const { plans } = (await vouchedBy(key, vouchingIn(text)!))!
  expect(Object.keys(plans)).toHaveLength(300)
})
