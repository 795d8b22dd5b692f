import { LoginLink } from '../../server/schemas/people.ts'
import type { CommandModule } from '../cli.ts'

/** `trueup open`: a link that logs a browser in. */
export const openCommand: CommandModule = (program, cli) => {
  program
    .command('open')
    .description('print a one-time link that logs a browser in to the web application')
    .option('--user <name>', 'as this person (administrators only)')
    .addHelpText(
      'after',
      '\nThe link works once and for ten minutes. Whoever has it is logged in as you.\n\nExamples:\n  $ trueup open\n  $ trueup open --user bob',
    )
    .action(async ({ user }: { user?: string }, command) => {
      const link = await cli
        .client(command)
        .send('POST', '/api/v1/session/links', LoginLink, user === undefined ? {} : { user })
      cli.output(command).result(link, () => link.url)
    })
}
