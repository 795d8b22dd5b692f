import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { PolicyConfig } from '../config/schema.ts'
import { change } from '../plans/fixtures.ts'
import { compilePolicy, evaluatePolicies, type PolicyFacts } from './policy.ts'
import { factsOf } from './fixtures.ts'

const page = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/```yaml\n(- name[\s\S]*?)```/g)].flatMap(([, text = '']) =>
  (parse(text) as unknown[]).map((item) => PolicyConfig.parse(item)),
)

const group = (after: string) =>
  change('module.web.aws_security_group.in', [{ path: 'ingress[0].cidr_blocks[0]', before: null, after }])
const replicas = (after: number | null) =>
  change('Deployment/shop/web', [{ path: 'spec.replicas', before: 2, after }], { type: 'Deployment' })
const database = (action: 'replace' | 'update') =>
  change('aws_db_instance.main', [], { type: 'aws_db_instance', actions: [action] })
const production = { name: 'production', tier: 'production' } as const

/** policy → facts for which it holds, and facts for which it does not. */
const CASES: { [policy: string]: [holds: PolicyFacts, passes: PolicyFacts] } = {
  'no-deletes-in-production': [
    factsOf([database('replace')], { environment: production }),
    factsOf([database('replace')]),
  ],
  'keep-the-database': [factsOf([database('replace')]), factsOf([database('update')])],
  'no-ssh-from-everywhere': [factsOf([group('0.0.0.0/0')]), factsOf([group('10.0.0.0/8')])],
  'replicas-within-reason': [factsOf([replicas(21)]), factsOf([replicas(20), replicas(null)])],
  'small-steps': [
    factsOf(Array.from({ length: 51 }, (_, index) => change(`x${index}`))),
    factsOf(Array.from({ length: 50 }, (_, index) => change(`x${index}`))),
  ],
  'full-coverage-in-production': [
    factsOf([], { environment: production }, { coverage: { checked: 1, unchecked: [{ address: 'x', why: 'exec' }] } }),
    factsOf([], { environment: production }),
  ],
  'production-from-release-branches': [
    factsOf([], { environment: production }),
    factsOf([], { environment: production, mr: null }),
  ],
  'people-heal-the-network': [
    factsOf([], {
      run: { kind: 'heal' },
      mr: null,
      stack: { name: 'n', path: 'infra/network/eu', driver: 'terraform' },
    }),
    factsOf([], { run: { kind: 'heal' }, mr: null }),
  ],
}

describe('the examples of docs/policies.md', () => {
  it('are those that are tested here', () => {
    expect(examples.map(({ name }) => name).sort()).toEqual(Object.keys(CASES).sort())
  })

  it.each(examples.map((example) => [example.name, example] as const))('%s does what it says', (name, example) => {
    const policies = [compilePolicy(example)]
    const [holds, passes] = CASES[name] as [PolicyFacts, PolicyFacts]
    expect(evaluatePolicies(policies, holds)).toEqual([{ name, outcome: example.then, message: example.message }])
    expect(evaluatePolicies(policies, passes)).toEqual([{ name, outcome: 'pass', message: '' }])
  })
})
