import { expect, test } from 'vitest'
import { PlanJson } from '../tool/plan-json.ts'
import { coverageOf } from './coverage.ts'

const resource = (address: string, actions: string[]) => ({
  address,
  mode: 'managed',
  type: 'null_resource',
  change: { actions },
})

test('what is left for a later plan and what an apply invokes are named, with the reason', () => {
  const plan = PlanJson.parse({
    format_version: '1.2',
    resource_changes: [resource('null_resource.now', ['create'])],
    deferred_changes: [
      { reason: 'instance_count_unknown', resource_change: resource('null_resource.later[*]', ['create']) },
      { reason: 'some_new_reason', resource_change: resource('null_resource.other', ['create']) },
    ],
    action_invocations: [
      {
        address: 'action.local_command.notify',
        lifecycle_action_trigger: {
          triggering_resource_address: 'null_resource.now',
          action_trigger_event: 'AfterCreate',
        },
      },
      { address: 'action.local_command.asked', invoke_action_trigger: {} },
    ],
    deferred_action_invocations: [
      { reason: 'deferred_prereq', action_invocation: { address: 'action.local_command.later' } },
    ],
    complete: false,
  })
  expect(coverageOf(plan, { refresh: true })).toEqual({
    checked: 1,
    unchecked: [
      {
        address: 'null_resource.later[*]',
        why: 'left for a later plan: how many there are is known only after this apply',
      },
      { address: 'null_resource.other', why: 'left for a later plan: some_new_reason' },
      {
        address: 'action.local_command.notify (AfterCreate of null_resource.now)',
        why: 'an action: the apply invokes it, and nobody can see what it will do',
      },
      {
        address: 'action.local_command.asked',
        why: 'an action: the apply invokes it, and nobody can see what it will do',
      },
      {
        address: 'action.local_command.later',
        why: 'an action, left for a later plan: something it needs is left for a later plan too',
      },
    ],
  })
})

test('a write-only attribute is named, whether an ephemeral value or one of the code is given to it', () => {
  const change = { actions: ['no-op'], after: { token: null, note: null, name: null, size: null } }
  const plan = PlanJson.parse({
    format_version: '1.2',
    resource_changes: [
      { ...resource('module.app[0].vault_secret.a', ['no-op']), change },
      {
        ...resource('module.app[0].vault_secret.b', ['create']),
        change: { ...change, after_unknown: { token: true } },
      },
    ],
    configuration: {
      root_module: {
        module_calls: {
          app: {
            module: {
              resources: ['a', 'b'].map((name) => ({
                address: `vault_secret.${name}`,
                expressions: {
                  token: { references: ['ephemeral.vault_token.it.value', 'ephemeral.vault_token.it'] },
                  // Null in the code's own words, or by another spelling of nothing.
                  note: { constant_value: '' },
                  name: { references: ['var.name'] },
                  timeouts: [{ create: { constant_value: '5m' } }],
                },
              })),
            },
          },
        },
      },
    },
  })
  expect(coverageOf(plan, { refresh: true }).unchecked).toEqual([
    {
      address: 'module.app[0].vault_secret.a',
      why: 'token is write-only: it is given to each apply that changes the resource, and nobody can read it back',
    },
  ])
})
