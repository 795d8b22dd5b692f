import type { ZodType } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { ERRORS } from '../../lib/errors/table.ts'
import type { CommandModule } from '../cli.ts'

/** `trueup explain`: error codes, keys of trueup.yaml and settings of drivers, without a server or a network. */
export const explainCommand: CommandModule = (program, cli) => {
  program
    .command('explain')
    .description('what an error code, a key of trueup.yaml or a setting of a driver means; offline')
    .argument('[topic]', 'an error code, `trueup.yaml`, or the name of a driver')
    .argument('[key]', 'of trueup.yaml or of the driver: stacks.inputs, helm.valueFiles')
    .addHelpText(
      'after',
      '\nExamples:\n  $ trueup explain PLAN_STALE\n  $ trueup explain trueup.yaml stacks.inputs\n  $ trueup explain kubernetes helm.valueFiles',
    )
    .action(async (topic: string | undefined, key: string | undefined, _options, command) => {
      const { explainCode, explainKey } = await import('../explain.ts')
      const { DRIVERS } = await import('../../drivers/registry.ts')
      const output = cli.output(command)
      if (topic === undefined) {
        const topics = { codes: Object.keys(ERRORS), keys: 'trueup.yaml', drivers: [...DRIVERS.keys()] }
        output.result(topics, ({ wrap }) =>
          [
            'trueup explain trueup.yaml [KEY]',
            wrap(`trueup explain DRIVER [SETTING]: ${topics.drivers.join(', ')}`),
            wrap(`trueup explain CODE: ${topics.codes.join(', ')}`),
          ].join('\n\n'),
        )
        return
      }
      const driver = DRIVERS.get(topic)
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
