import { resolve } from 'node:path'
import type { CommandModule } from '../cli.ts'
import { databaseOf, databaseOption } from '../database-option.ts'
import { dataDirectory } from '../settings.ts'

/** `trueup recover-admin`: the way back in after a restore, or when the last token is lost. */
export const recoverAdminCommand: CommandModule = (program, cli) => {
  program
    .command('recover-admin')
    .description('make a new token for an administrator, on the machine of a stopped server')
    .option('--data <directory>', 'data directory; no server may use it at the time')
    .addOption(databaseOption())
    .addHelpText('after', '\nExample:\n  $ trueup recover-admin --data /var/lib/trueup')
    .action(async (options: { data?: string; database?: string }, command) => {
      const { openStore } = await import('../../store/open.ts')
      const { recoverAdmin } = await import('../../server/auth/first-run.ts')
      const data = resolve(cli.cwd, dataDirectory(cli.env, options.data))
      const store = await openStore(data, { database: databaseOf(cli.env, options) })
      try {
        const made = await recoverAdmin(store, data)
        cli.output(command).result(made, () => `A token of ${made.name} is in ${made.file}`)
      } finally {
        await store.close()
      }
    })
}
