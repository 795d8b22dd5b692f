import type { ZodType } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { ERRORS } from '../../lib/errors/table.ts'
import type { CommandModule } from '../cli.ts'

/** `trueup explain`: error codes, keys of trueup.yaml, settings of drivers and what commands print, without a server or a network. */
export const explainCommand: CommandModule = (program, cli) => {
  program
    .command('explain')
    .description(
      'what an error code, a key of trueup.yaml, a setting of a driver or the JSON of a command means; offline',
    )
    .argument('[topic]', 'an error code, `trueup.yaml`, the name of a driver, or `output`')
    .argument(
      '[key...]',
      'of trueup.yaml or of the driver: stacks.inputs, helm.valueFiles; a command whose JSON is meant',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ trueup explain PLAN_STALE\n  $ trueup explain trueup.yaml stacks.inputs\n  $ trueup explain kubernetes helm.valueFiles\n  $ trueup explain output mr show',
    )
    .action(async (topic: string | undefined, words: string[], _options, command) => {
      const { explainCode, explainKey } = await import('../explain.ts')
      const { DRIVERS } = await import('../../drivers/registry.ts')
      const { OUTPUTS } = await import('../outputs/index.ts')
      const output = cli.output(command)
      if (topic === undefined) {
        const topics = {
          codes: Object.keys(ERRORS),
          keys: 'trueup.yaml',
          drivers: [...DRIVERS.keys()],
          outputs: Object.keys(OUTPUTS),
        }
        output.result(topics, ({ wrap }) =>
          [
            'trueup explain trueup.yaml [KEY]',
            wrap(`trueup explain DRIVER [SETTING]: ${topics.drivers.join(', ')}`),
            wrap(`trueup explain output COMMAND: ${topics.outputs.join(', ')}`),
            wrap(`trueup explain CODE: ${topics.codes.join(', ')}`),
          ].join('\n\n'),
        )
        return
      }
      if (topic === 'output' && words.length === 0)
        throw new TrueupError('INVALID_REQUEST', {
          doing: 'explaining what a command prints',
          why: 'no command was named',
          next: `Name one of: ${Object.keys(OUTPUTS).join(', ')}.`,
        })
      const key = words.length === 0 ? undefined : words.join(topic === 'output' ? ' ' : '.')
      const driver = DRIVERS.get(topic)
      if (topic === 'output') {
        const { outputOf } = await import('../outputs/of-command.ts')
        const { schema, lines } = outputOf(key ?? '')
        output.result(schema, () => lines.join('\n'))
        return
      }
      const explained = /^(trueup\.)?ya?ml$|^trueup\.yaml$/.test(topic)
        ? explainKey((await import('../../domain/config/json-schema.ts')).trueupJsonSchema(), key ?? '')
        : driver !== undefined
          ? explainKey(await schemaOf(driver.config), key ?? '')
          : key === undefined
            ? explainCode(topic)
            : null
      if (explained === null)
        throw new TrueupError('INVALID_REQUEST', {
          doing: `explaining ${topic} ${key}`,
          why: 'only trueup.yaml and drivers have keys',
          next: 'Run `trueup explain` for what can be explained.',
        })
      output.result(explained, ({ wrap }) =>
        [output.paint('bold', explained.topic), ...explained.lines.map((line) => wrap(line))].join('\n'),
      )
    })
}

/** What cannot be put into a JSON Schema (a check in code) is left out of it. */
async function schemaOf(config: ZodType): Promise<unknown> {
  const { z } = await import('zod')
  return z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' })
}
