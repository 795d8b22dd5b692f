import { expect, it } from 'vitest'
import { compileExpression } from './language.ts'
import { policiesNeedingMr } from './without-mr.ts'

const needing = (when: string) => policiesNeedingMr([{ name: 'p', when, then: 'deny' }]).flatMap(({ runs }) => runs)

it.each([
  "mr.author == 'eve'",
  'mr["title"] == "x"',
  "environment.tier == 'production' && !mr.sourceBranch.startsWith('release/')",
  'environment.tier == "production" ? mr.draft : false',
  'mr != null || mr.draft',
  'mr == null && mr.draft',
  'plan.changes.exists(change, change.type == mr.title)',
  'dyn(mr).draft',
  '[mr.title] == ["x"]',
  '{"a": mr.draft} == {"a": true}',
  'size(mr.title) > 3',
])('names a condition that heals cannot evaluate: %s', (when) => {
  expect(needing(when)).toHaveLength(3)
})

it.each([
  "mr != null && mr.author == 'eve'",
  "mr.author == 'eve' && mr != null",
  'mr == null || mr.draft',
  'mr == null ? false : mr.draft',
  '!(mr == null) && mr.draft',
  'has(mr.title) && mr.title == "x"',
  'run.kind == "preview" && mr.draft',
  'run.kind in ["preview", "drift"] && mr.draft',
  'run.kind != "heal" && run.kind != "deploy" && run.kind != "destroy" && mr.draft',
  'plan.changes.all(change, mr == null || change.type == mr.title)',
  "stack.name == 'mr.author'",
  'plan.summary.delete > 0',
])('and no other: %s', (when) => {
  expect(needing(when)).toEqual([])
  const facts = { mr: null, run: { kind: 'heal' }, environment: {}, stack: { name: 'x' } }
  const plan = { changes: [{ type: 'x' }], summary: { delete: 0n } }
  expect(() => compileExpression(when)({ ...facts, plan })).not.toThrow()
})

it('tells the kinds of runs apart', () => {
  expect(needing("run.kind == 'deploy' && mr.draft")).toEqual([expect.stringContaining('deployments')])
  expect(needing("run.kind != 'heal' && mr.draft")).toEqual([
    expect.stringContaining('deployments'),
    expect.stringContaining('removals'),
  ])
})
