import { Repository } from '../../server/schemas/repositories.ts'
import type { CommandModule } from '../cli.ts'
import { collect, fields } from '../output.ts'
import { goes } from '../table.ts'
import { addConnectionCommands, connectionFields } from './repo-connection.ts'

export const repositoryCommands: CommandModule = (program, cli) => {
  const repo = program.command('repo').description('repositories that Trueup hosts or is connected to')

  repo
    .command('create')
    .description('make an empty repository')
    .argument('<name>')
    .option('--default-branch <branch>', 'branch that is enacted; nobody pushes to it', 'main')
    .addHelpText(
      'after',
      '\nExample:\n  $ trueup repo create shop\n  $ git remote add origin "$(trueup repo show shop --git-url)"',
    )
    .action(async (name: string, options: { defaultBranch: string }, command) => {
      const made = await cli.client(command).send('POST', '/api/v1/repositories', Repository, { name, ...options })
      const output = cli.output(command)
      output.result(made, () => made.gitUrl)
      if (!output.json) for (const line of howToPush(made)) output.note(line)
    })

  repo
    .command('list')
    .description('repositories that you may see')
    .action(async (_options, command) => {
      const all = await collect(cli.client(command).all('/api/v1/repositories', Repository))
      cli.output(command).result(all, ({ table }) =>
        table(
          ['name', goes('branch'), goes('your role'), 'git'],
          all.map((row) => [
            row.name,
            row.defaultBranch,
            row.role ?? '-',
            row.damage ? `damaged: ${row.damage}` : (row.connection?.url ?? row.gitUrl),
          ]),
        ),
      )
    })

  repo
    .command('show')
    .description('one repository and how to push to it')
    .argument('<name>')
    .option('--git-url', 'only the address for git')
    .action(async (name: string, options: { gitUrl?: boolean }, command) => {
      const row = await cli.client(command).get(`/api/v1/repositories/${encodeURIComponent(name)}`, Repository)
      const output = cli.output(command)
      output.result(row, ({ when }) =>
        options.gitUrl
          ? row.gitUrl
          : fields([
              ['name', row.name],
              ['branch', row.defaultBranch],
              ['your role', row.role ?? '-'],
              ['git', row.gitUrl],
              ...connectionFields(row, when),
              ['created', when(row.createdAt)],
            ]),
      )
      if (!output.json && !options.gitUrl) for (const line of howToPush(row)) output.note(line)
    })

  addConnectionCommands(repo, cli)

  /** Lines for people: the token goes by a credential helper, so that it is in no URL and no shell history. */
  function howToPush(row: Repository): string[] {
    if (row.connection) return ['', `Push and open merge requests there: ${row.connection.url}`]
    const host = new URL(row.gitUrl).origin
    return [
      '',
      'Let git ask trueup for the token (once per machine):',
      `  git config --global credential.${host}.helper '!trueup git-credential'`,
      'Then, in your repository:',
      `  git remote add origin ${row.gitUrl}`,
      `  git push origin HEAD:refs/heads/${row.defaultBranch}   # the first time; afterwards push branches and open merge requests`,
    ]
  }
}
