import { PassThrough } from 'node:stream'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { createCli } from '../cli.ts'
import { commandModules } from '../commands/index.ts'
import { buildProgram, everyCommand } from '../program.ts'
import { OTHER_OUTPUTS, OUTPUTS, outputsSchema } from './index.ts'
import { outputOf } from './of-command.ts'

/** Names of all commands that do something. */
async function commands(): Promise<string[]> {
  const streams = { out: new PassThrough(), err: new PassThrough(), env: {} }
  const nothing = (): void => {}
  const { signal } = new AbortController()
  const around = { streams, stdin: process.stdin, env: {}, cwd: '/', signal, takeSignals: nothing, exitWith: nothing }
  const program = buildProgram(createCli(around), await commandModules())
  return [...everyCommand(program)].flatMap((command) => {
    const names: string[] = []
    for (let at = command; at.parent; at = at.parent) names.unshift(at.name())
    const leads = command.commands.length > 0 && command.options.length === 0
    return leads || names.length === 0 ? [] : [names.join(' ')]
  })
}

describe('what commands print as JSON', () => {
  it('is described for each of them, and for no other', async () => {
    expect([...Object.keys(OUTPUTS), ...Object.keys(OTHER_OUTPUTS)].toSorted()).toEqual((await commands()).toSorted())
  })

  it('is one schema, of named members only', () => {
    const ajv = new Ajv2020({ allowUnionTypes: true }).addSchema(outputsSchema(), 'outputs')
    for (const command of Object.keys(OUTPUTS)) {
      const accepts = ajv.compile({ $ref: `outputs#/$defs/${encodeURIComponent(`trueup ${command}`)}` })
      expect([command, accepts({ thereIs: 'no such member' })]).toEqual([command, false])
    }
  })

  it.each(['mr merge', 'user list'])('of %s is a schema that stands alone, too', (command) => {
    const { schema } = outputOf(command)
    expect(new Ajv2020({ allowUnionTypes: true }).compile(schema)('no such thing')).toBe(false)
  })

  it('tells lists, what may be missing, and what members are about', () => {
    const { lines } = outputOf('mr show')
    expect(lines).toContain('ShownMergeRequest')
    expect(lines).toContain('  plans[]: list of Run, if any (with --plan)')
    expect(lines).toContain('  createdAt: integer (milliseconds since 1970-01-01T00:00:00Z)')
  })

  it('is not told of a misspelt command, nor of one that prints something else', () => {
    expect(() => outputOf('mr shwo')).toThrow('did you mean "mr show"')
    expect(() => outputOf('audit export')).toThrow('an audit event as JSON on each line')
  })
})
