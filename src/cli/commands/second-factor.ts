import { Option } from 'commander'
import { Done } from '../../server/schemas/common.ts'
import {
  RecoveryCodes,
  SecondFactorBegun,
  SecondFactorRuleBody,
  SecondFactorState,
} from '../../server/schemas/second-factor.ts'
import type { CommandModule } from '../cli.ts'
import { fields } from '../output.ts'
import { readSecret } from '../prompt.ts'

const OWN = '/api/v1/session/second-factor'

/** `trueup second-factor`: codes of an app beside the password. */
export const secondFactorCommands: CommandModule = (program, cli) => {
  const factor = program.command('second-factor').description('codes of an app that are asked for beside the password')
  const askCode = (): Promise<string> => readSecret(cli, 'Code of the app, or a recovery code: ')
  const shown = (codes: readonly string[]): string =>
    ['Recovery codes, each good once; keep them where the app is not. They are not shown again.', '', ...codes].join(
      '\n',
    )

  factor
    .command('show')
    .description('whether your account has one, and what the server asks for')
    .action(async (_options, command) => {
      const state = await cli.client(command).get(OWN, SecondFactorState)
      cli.output(command).result(state, ({ when }) =>
        fields([
          [
            'second factor',
            state.enrolledAt === null ? (state.owed ? 'none, and the server asks for one' : 'none') : 'set up',
          ],
          ['set up', when(state.enrolledAt)],
          ['proven by this login', when(state.provenAt)],
          ['recovery codes left', String(state.recoveryCodesLeft)],
          ['asked of', state.rule === 'off' ? 'nobody' : state.rule],
        ]),
      )
    })

  factor
    .command('enrol')
    .description('set one up: shows a key for the app, asks for a code of it, and shows recovery codes')
    .action(async (_options, command) => {
      const client = cli.client(command)
      const output = cli.output(command)
      const { secret, uri } = await client.send('POST', OWN, SecondFactorBegun)
      output.note(`Add this to your app (time-based codes, six digits):\n  key  ${secret}\n  or   ${uri}`)
      const code = await readSecret(cli, 'Code that the app shows: ')
      const made = await client.send('POST', `${OWN}/confirm`, RecoveryCodes, { code })
      output.result(made, () => shown(made.recoveryCodes))
    })

  factor
    .command('prove')
    .description('prove it once more, for environments that ask for that (`stepUp`)')
    .action(async (_options, command) => {
      const done = await cli.client(command).send('POST', `${OWN}/prove`, Done, { code: await askCode() })
      cli.output(command).result(done, () => 'Proven.')
    })

  factor
    .command('codes')
    .description('new recovery codes in the place of the former ones')
    .action(async (_options, command) => {
      const body = { code: await askCode() }
      const made = await cli.client(command).send('POST', `${OWN}/recovery-codes`, RecoveryCodes, body)
      cli.output(command).result(made, () => shown(made.recoveryCodes))
    })

  factor
    .command('remove')
    .description('take it away from your account, or from a person who has lost it (administrators)')
    .option('--user <name>')
    .action(async ({ user }: { user?: string }, command) => {
      const client = cli.client(command)
      const done =
        user === undefined
          ? await client.send('DELETE', OWN, Done, { code: await askCode() })
          : await client.send('DELETE', `/api/v1/users/${encodeURIComponent(user)}/second-factor`, Done)
      cli.output(command).result(done, () => `Removed${user === undefined ? '' : ` from ${user}`}.`)
    })

  factor
    .command('rule')
    .description('which accounts with a password need one (administrators)')
    .addOption(
      new Option('--for <whom>', 'of whom').choices(['off', 'administrators', 'everyone']).makeOptionMandatory(),
    )
    .action(async (options: { for: string }, command) => {
      const body = { rule: options.for }
      const set = await cli.client(command).send('PUT', '/api/v1/second-factor-rule', SecondFactorRuleBody, body)
      cli.output(command).result(set, () => `Asked of: ${set.rule === 'off' ? 'nobody' : set.rule}`)
    })
}
