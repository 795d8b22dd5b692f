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
    ],
  })
})
