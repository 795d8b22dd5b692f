import { expect, it } from 'vitest'
import { trueupJsonSchema } from '../domain/config/json-schema.ts'
import { explainCode, explainKey } from './explain.ts'

const key = (path: string): string => explainKey(trueupJsonSchema(), path).lines.join('\n')

it('says what a code means, in any case of its letters', () => {
  expect(explainCode('plan_stale')).toMatchObject({
    topic: 'PLAN_STALE',
    lines: [expect.any(String), /later|again/, /^HTTP/],
  })
  expect(() => explainCode('PLAN_STALLE')).toThrow('did you mean "PLAN_STALE"?')
})

it('says what a key means, with those below it', () => {
  expect(key('')).toMatch(/environments \(required\): /)
  expect(key('stacks.inputs')).toContain('STACK.OUTPUT')
  expect(key('stacks[3].inputs')).toBe(key('stacks.inputs'))
  expect(key('environments.production.tier')).toContain('Value: "development", "staging", "production"')
  expect(key('environments.production.approvals.required')).toContain('a whole number from 0 to 20')
  expect(key('environments.anything')).toMatch(/ {2}drift: /)
})

it('says which keys there are where one is misspelt', () => {
  expect(() => key('environments.production.aprovals')).toThrow('did you mean "approvals"?')
  expect(() => key('version.x')).toThrow('version has no keys')
})
