import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readAgentConfig } from './config.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-agent-config-'))
})
afterAll(() => rm(directory, { recursive: true }))

it.each([
  ['server: [', 'CONFIG_SYNTAX', /./],
  ['a: &a [1]\nb: *nosuch\n', 'CONFIG_SYNTAX', /nosuch/],
  ['server: ftp://x\nrepositories: {}\n', 'CONFIG_INVALID', /server: a URL/],
  ['server: https://x\nrepositories:\n  shop: { signers: {} }\n', 'CONFIG_INVALID', /repositories\.shop\.signers/],
  ['', 'CONFIG_INVALID', /./],
])('says what is wrong with %j', async (text, code, why) => {
  const file = join(directory, 'agent.yaml')
  await writeFile(file, text)
  expect(() => readAgentConfig(file)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(why) }))
})

it('says that there is no file, and where one is shown', () => {
  const file = join(directory, 'nosuch.yaml')
  expect(() => readAgentConfig(file)).toThrow(/nosuch.yaml: there is no such file/)
})
