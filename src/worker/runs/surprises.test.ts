import { expect, test } from 'vitest'
import type { ApplyResult, DriverPlan } from '../../domain/plans/plan.ts'
import { withSurprises } from './surprises.ts'

const plan: DriverPlan = {
  changes: [{ address: 'web1/task', type: 'task', actions: ['update'], attributes: [], cause: 'config' }],
  coverage: { checked: 2, unchecked: [] },
  outputs: {},
  findings: [],
  toolVersions: {},
}
const result = (...resources: ApplyResult['resources']): ApplyResult => ({
  status: 'applied',
  resources,
  outputs: {},
  findings: [],
})

test('what was changed without standing in the plan is named', () => {
  const applied = result(
    { address: 'web1/task', actions: ['update'], status: 'done' },
    { address: 'web2/task', actions: ['update'], status: 'done' },
  )
  expect(withSurprises(applied, plan).findings).toEqual([
    { severity: 'warning', code: 'beyond_plan', message: 'changed without standing in the plan: web2/task' },
  ])
})

test('what was planned, or not done, is no surprise', () => {
  const applied = result(
    { address: 'web1/task', actions: ['update'], status: 'done' },
    { address: 'web2/task', actions: ['update'], status: 'skipped' },
  )
  expect(withSurprises(applied, plan)).toBe(applied)
})

test('many are counted', () => {
  const applied = result(
    ...Array.from({ length: 12 }, (_, i) => ({
      address: `a${i}`,
      actions: ['update' as const],
      status: 'done' as const,
    })),
  )
  expect(withSurprises(applied, plan).findings[0]?.message).toMatch(/a9 and 2 more$/)
})
