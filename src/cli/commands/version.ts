import { z } from 'zod'
import { VERSION } from '../../lib/version.ts'
import type { CommandModule } from '../cli.ts'
import { fields } from '../output.ts'

const Info = z.object({ version: z.string() })

/** `trueup version`: the CLI's version, and the server's where one answers. */
export const versionCommand: CommandModule = (program, cli) => {
  program
    .command('version')
    .description('versions of this program, of Node, and of the server if one answers')
    .option('--local', 'do not ask the server')
    .action(async (options: { local?: boolean }, command) => {
      const server = options.local
        ? null
        : await cli
            .client(command)
            .get('/api/v1/version', Info)
            .then((info) => info.version)
            .catch(() => null)
      const versions = { trueup: VERSION, node: process.versions.node, server }
      cli.output(command).result(versions, () =>
        fields([
          ['trueup', versions.trueup],
          ['node', versions.node],
          ['server', versions.server ?? 'none answers'],
        ]),
      )
    })
}
