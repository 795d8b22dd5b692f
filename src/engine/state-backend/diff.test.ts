import { expect, test } from 'vitest'
import { stateDifferences } from './diff.ts'

const state = (resources: object[], outputs: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ version: 4, resources, outputs }))
const data = (name: string, instances: object[], more: object = {}) => ({
  mode: 'managed',
  type: 'terraform_data',
  name,
  provider: 'provider["terraform.io/builtin/terraform"]',
  instances,
  ...more,
})

test('names what came, went and changed, instance by instance, and no value', () => {
  const before = state(
    [
      data('each', [
        { index_key: 'a', attributes: { input: 'one', tags: { x: '1' } } },
        { index_key: 'b', attributes: { input: 'two' } },
      ]),
      data('gone', [{ attributes: {} }], { module: 'module.net' }),
      data('worn', [{ attributes: { input: 'same' } }]),
    ],
    { url: { value: 's3cr3t-one', sensitive: true }, kept: { value: 1 } },
  )
  const after = state(
    [
      data('each', [
        { index_key: 'a', attributes: { input: 's3cr3t-two', tags: { x: '2' } } },
        { index_key: 'b', attributes: { input: 'two' } },
        { index_key: 'c', attributes: {} },
      ]),
      data('worn', [
        { status: 'tainted', attributes: { input: 'same' } },
        { deposed: '1a2b', attributes: { input: 'old' } },
      ]),
    ],
    { url: { value: 's3cr3t-two', sensitive: true }, kept: { value: 1 } },
  )
  const found = stateDifferences(before, after)
  expect(found).toEqual([
    { address: 'module.net.terraform_data.gone', change: 'removed', attributes: [] },
    { address: 'terraform_data.each["a"]', change: 'changed', attributes: ['input', 'tags.x'] },
    { address: 'terraform_data.each["c"]', change: 'added', attributes: [] },
    { address: 'terraform_data.worn', change: 'changed', attributes: ['tainted'] },
    { address: 'terraform_data.worn (deposed 1a2b)', change: 'added', attributes: [] },
    { address: 'output.url', change: 'changed', attributes: ['value'] },
  ])
  expect(JSON.stringify(found)).not.toContain('s3cr3t')
  expect(stateDifferences(after, after)).toEqual([])
})
