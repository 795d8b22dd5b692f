import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Shell } from '../src/cli/testing/process.ts'

let shell: Shell
beforeAll(async () => {
  shell = await openShell()
})
afterAll(() => shell.close())

it('the demo walks the whole loop and says each step as data', { timeout: 300_000 }, async () => {
  const { code, json, err } = await shell.run(['demo', '--output', 'json'])
  expect(code, err).toBe(0)
  expect(json.passed).toBe(json.steps.length)
  const names = json.steps.map(({ name }: { name: string }) => name).join('\n')
  for (const part of ['push', 'approves', 'applied', 'healed', 'roll back', 'audit']) expect(names).toContain(part)
})
