import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseWindow } from '../windows/windows.ts'
import { parseConfig } from './parse.ts'

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

it('the example of the reference is a configuration', () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page('configuration.md')) ?? []
  expect(parseConfig(example).stacks).toHaveLength(3)
})

it('every key of the schema stands in the reference', () => {
  const text = page('configuration.md')
  const schema = JSON.parse(readFileSync(new URL('../../../schema/trueup.schema.json', import.meta.url), 'utf8'))
  const { environments, stacks, policies } = schema.properties
  const keys = [environments.additionalProperties, stacks.items, policies.items].flatMap(({ properties }) =>
    Object.keys(properties),
  )
  for (const key of keys) expect(text, key).toMatch(new RegExp(`\\| \`${key}[\`.]`))
})

it('every window of its page can be read', () => {
  const windows = [...page('windows.md').matchAll(/^\| (`.+`) \|/gm)].flatMap(([, cell = '']) => cell.split(', '))
  expect(windows.length).toBeGreaterThan(7)
  for (const text of windows) parseWindow(text.replaceAll('`', ''))
})
