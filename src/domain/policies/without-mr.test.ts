import { expect, it } from 'vitest'
import { policiesNeedingMr } from './without-mr.ts'

const needing = (when: string) => policiesNeedingMr([{ name: 'p', when, then: 'deny' }]).length === 1

it('names conditions that heals could not evaluate, and no others', () => {
  expect(needing("mr.author == 'eve'")).toBe(true)
  expect(needing("environment.tier == 'production' && !mr . sourceBranch.startsWith('release/')")).toBe(true)
  expect(needing("mr != null && mr.author == 'eve'")).toBe(false)
  expect(needing("run.kind == 'deploy' && mr.draft")).toBe(false)
  expect(needing("stack.name == 'mr.author'")).toBe(false)
  expect(needing('plan.summary.delete > 0')).toBe(false)
})
