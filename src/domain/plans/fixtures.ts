import fc from 'fast-check'
import { ACTIONS, type AttributeChange, type DriverPlan, type Plan, type ResourceChange } from './plan.ts'
import { completePlan, type PlanFacts } from './complete.ts'

/** Plans for tests: small builders, and arbitrary plans for properties. */
export const change = (address: string, attributes: AttributeChange[] = [], more: Partial<ResourceChange> = {}) => ({
  address,
  type: 'thing',
  actions: ['update' as const],
  attributes,
  cause: 'config' as const,
  ...more,
})

export const driverPlan = (changes: ResourceChange[], more: Partial<DriverPlan> = {}): DriverPlan => ({
  changes,
  coverage: { checked: changes.length, unchecked: [] },
  outputs: {},
  findings: [],
  toolVersions: { terraform: '1.9.5' },
  ...more,
})

export const FACTS: PlanFacts = { desiredDigest: 'sha256:aa', ignore: [], unstable: [], cause: null }

export const plan = (changes: ResourceChange[], more: Partial<DriverPlan> = {}, facts: Partial<PlanFacts> = {}): Plan =>
  completePlan(driverPlan(changes, more), { ...FACTS, ...facts })

const value = fc.oneof(
  fc.constantFrom(null, 0, 1, true, '', 'a', 'b', 'a\nb'),
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
)

const attribute: fc.Arbitrary<AttributeChange> = fc.record(
  {
    path: fc.constantFrom('a', 'b', 'a.b', 'c[0]'),
    before: value,
    after: value,
    sensitive: fc.boolean(),
    unknown: fc.boolean(),
  },
  { requiredKeys: ['path'] },
)

/** Few addresses, paths and values, so that arbitrary changes collide and coincide often. */
export const arbitraryChange: fc.Arbitrary<ResourceChange> = fc.record(
  {
    address: fc.constantFrom('x', 'y', 'z', 'x#2', '/etc/a'),
    type: fc.constant('thing'),
    actions: fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 2 }),
    attributes: fc.array(attribute, { maxLength: 3 }),
    cause: fc.constantFrom('config', 'input', 'drift'),
    reason: fc.constantFrom('one', 'two'),
    previousAddress: fc.constantFrom('old', 'older'),
  },
  { requiredKeys: ['address', 'type', 'actions', 'attributes', 'cause'] },
)

export const arbitraryChanges = fc.array(arbitraryChange, { maxLength: 4 })
export const arbitraryPlan: fc.Arbitrary<Plan> = arbitraryChanges.map((changes) => plan(changes))
