import { describe, expect, it } from 'vitest'
import { addStacks, renderConfig } from './edit.ts'
import { parseConfig } from './parse.ts'

const environments = { staging: { tier: 'staging' as const }, production: { tier: 'production' as const } }
const stack = { path: 'infra/network', driver: 'terraform', environments: ['staging'] }

describe('renderConfig', () => {
  it('writes what parseConfig reads', () => {
    const text = renderConfig({ environments, stacks: [{ ...stack, comment: 'found: main.tf\nand more' }] })
    expect(parseConfig(text)).toEqual({ version: 1, environments, stacks: [stack] })
    expect(text).toContain('# found: main.tf and more\n')
  })

  it('writes an empty list', () => {
    expect(parseConfig(renderConfig({ environments: {}, stacks: [] })).stacks).toEqual([])
  })

  it('quotes what would be read as something else', () => {
    const entry = {
      ...stack,
      path: '- a: "b" #c',
      toolVersion: '1.10',
      variables: { A: '010', B: 'true', C: 'null', D: '~' },
    }
    expect(parseConfig(renderConfig({ environments, stacks: [entry] })).stacks).toEqual([entry])
  })

  it('refuses parts that make no configuration', () => {
    expect(() => renderConfig({ environments: {}, stacks: [stack] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })
})

describe('addStacks', () => {
  const text = `# our file
version: 1 # the format

environments:
  staging: { tier: staging } # shared
stacks:
  # the first
  - path: a
    driver: files
policies: [] # none yet
`

  it('keeps comments and everything else', () => {
    const edited = addStacks(text, [{ ...stack, comment: 'new' }])
    for (const line of text.split('\n')) expect(edited).toContain(line)
    expect(parseConfig(edited).stacks).toEqual([{ path: 'a', driver: 'files' }, stack])
    expect(addStacks(text, [])).toBe(text)
  })

  it('opens an empty list', () => {
    const edited = addStacks('version: 1\nenvironments: { staging: {} }\nstacks: []\n', [stack])
    expect(edited).toContain('stacks:\n  - path: infra/network\n    driver: terraform\n')
  })

  it('refuses a file that is wrong already', () => {
    expect(() => addStacks('version: 1\n', [stack])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
