import { SignedCommit } from '../../server/schemas/signatures.ts'
import type { CommandModule } from '../cli.ts'
import { fields } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { state } from '../table.ts'

/** `trueup verify`: who signed a commit, and what that is worth. */
export const verifyCommand: CommandModule = (program, cli) => {
  withRepository(program.command('verify').description('explain who signed a commit and which environments accept it'))
    .argument('<commit>', 'a commit that the server has, or a branch')
    .addHelpText('after', '\nExit code: 1 when an environment asks for a signature and does not accept this one.')
    .addHelpText('after', '\nExample:\n  $ trueup verify 1a2b3c4')
    .action(async (commit: string, _options: object, command) => {
      const path = `${repositoryPath(await repositoryName(cli, command))}/commits/${encodeURIComponent(commit)}/signature`
      const found = await cli.client(command).get(path, SignedCommit)
      cli.output(command).result(found, ({ table, when }) =>
        [
          fields([
            ['commit', found.commit],
            ['made', when(found.committedAt)],
            ['signature', SAID[found.signature]],
            ...(found.key === null ? [] : [['key', found.key] as [string, string]]),
          ]),
          '',
          found.environments.length === 0
            ? 'No environment asks for signatures.'
            : table(
                ['environment', 'asks for', state('verdict'), 'why'],
                found.environments.map((row) => [
                  row.name,
                  row.require.join(', '),
                  row.accepted ? 'accepted' : row.asked ? 'refused' : 'not asked',
                  row.accepted || row.code === null ? row.why : `${row.why} [${row.code}]`,
                ]),
              ),
        ].join('\n'),
      )
      if (found.environments.some(({ asked, accepted }) => asked && !accepted)) cli.exitWith(1)
    })
}

const SAID: { [status in SignedCommit['signature']]: string } = {
  none: 'there is none',
  good: 'good',
  bad: 'does not fit what the commit holds',
  unknown: 'by a key that is not among the signers',
  expired: 'by a key that has expired, or a signature that has',
  revoked: 'by a key that was revoked',
}
