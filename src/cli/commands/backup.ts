import { resolve } from 'node:path'
import type { CommandModule } from '../cli.ts'
import { databaseOf, databaseOption } from '../database-option.ts'
import { dataDirectory } from '../settings.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { BackupResult } from '../../store/backup/backup.ts'
import { downloadBackup } from '../download-backup.ts'

/** The backup is made, and what is whole can be restored from it; whoever looks at exit codes must hear of the rest. */
const damagedIn = (doing: string, damaged: BackupResult['damaged']): TrueupError =>
  new TrueupError('REPOSITORY_UNUSABLE', {
    doing,
    why: `all is in it but for ${damaged.map(({ repository, why }) => `"${repository}", which ${why}`).join('; ')}`,
    next: 'Keep the backup before this one. Stop the server and run `trueup doctor --repair`, then back up again.',
  })

/** `backup` and `restore` work on directories: of this machine's data directory, or fetched from a server. */
export const backupCommands: CommandModule = (program, cli) => {
  program
    .command('backup')
    .description('write a consistent copy of the data directory, also while the server runs')
    .argument('<directory>', 'new directory for the copy; it will hold all keys, so keep it safe')
    .option('--data <directory>', 'data directory on this machine')
    .addOption(databaseOption())
    .option('--remote', 'fetch it from the server instead')
    .addHelpText('after', '\nExample:\n  $ trueup backup /mnt/backup/trueup-$(date +%F)')
    .action(async (target: string, options: { data?: string; database?: string; remote?: boolean }, command) => {
      const to = resolve(cli.cwd, target)
      const made = options.remote ? await downloadBackup(cli.client(command), to) : await local(to)
      cli.output(command).result({ target: to, ...made }, () => `${made.files} files, ${made.bytes} bytes in ${to}`)
      if (made.damaged.length > 0) throw damagedIn(`backing up to ${to}`, made.damaged)

      async function local(directory: string): Promise<Omit<BackupResult, 'target'>> {
        const { backupStore } = await import('../../store/backup/backup.ts')
        const data = resolve(cli.cwd, dataDirectory(cli.env, options.data))
        return await backupStore(data, directory, { database: databaseOf(cli.env, options) })
      }
    })

  program
    .command('restore')
    .description('put a backup into a new data directory')
    .argument('<directory>', 'directory of the backup')
    .option('--data <directory>', 'data directory: must be empty or not exist, and no server may use it')
    .addHelpText('after', '\nExample:\n  $ trueup restore /mnt/backup/trueup-2026-11-23 --data /var/lib/trueup')
    .action(async (source: string, options: { data?: string }, command) => {
      const { restoreStore } = await import('../../store/backup/restore.ts')
      const data = resolve(cli.cwd, dataDirectory(cli.env, options.data))
      const { files, bytes, damaged } = await restoreStore(resolve(cli.cwd, source), data)
      const output = cli.output(command)
      output.result({ data, files, bytes, damaged }, () => `${files} files, ${bytes} bytes in ${data}`)
      for (const { repository, why } of damaged)
        output.note(`The repository "${repository}" was damaged when it was backed up: it ${why}.`)
      if (output.json) return
      output.note('A backup holds no token in clear. To log in, and to start it:')
      output.note(`  trueup recover-admin --data ${data}`)
      output.note(`  trueup up --data ${data}`)
      output.note('Stop the server that the backup is of first: two of them would both enforce the same targets.')
    })
}
