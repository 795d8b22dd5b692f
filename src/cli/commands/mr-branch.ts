import type { Command } from 'commander'
import { z } from 'zod'
import { Commit, FileDiff, MrDetail } from '../../server/schemas/merge-requests.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { mrNumber } from '../arguments.ts'
import type { Cli } from '../cli.ts'
import { gitHere } from '../git-here.ts'
import { HERE, numberOrHere } from '../mr-here.ts'
import { diffText } from '../mr-text.ts'
import { mrPath, repositoryName, withRepository } from '../repository.ts'

/** What a merge request holds in Git, as commands below `mr`. */
export function addBranchCommands(mr: Command, cli: Cli): void {
  withRepository(mr.command('checkout').description('fetch its head and check its branch out here'))
    .argument('<number>', '', mrNumber)
    .addHelpText(
      'after',
      '\nA branch of that name that has commits of its own is left as it is.\n\nExample:\n  $ trueup mr checkout 7',
    )
    .action(async (number: number, _options, command) => {
      const { sourceBranch, head } = await cli.client(command).get(await mrPath(cli, command, number), MrDetail)
      const doing = `checking out !${number}`
      const remote = await remoteHere(cli, command, doing)
      gitHere(
        cli,
        ['fetch', '--quiet', remote, `refs/heads/${sourceBranch}`],
        doing,
        'Its branch may be gone: `trueup mr show` tells its state.',
      )
      const isThere = gitHere(cli, ['branch', '--list', '--', sourceBranch], doing) !== ''
      gitHere(cli, ['switch', '--quiet', ...(isThere ? [sourceBranch] : ['--create', sourceBranch, head])], doing)
      if (isThere)
        gitHere(cli, ['merge', '--quiet', '--ff-only', head], doing, 'Rebase your commits, or take another branch.')
      cli
        .output(command)
        .result({ number, branch: sourceBranch, head }, () => `On ${sourceBranch} at ${head.slice(0, 10)}`)
    })

  withRepository(mr.command('commits').description('its commits, newest first'))
    .argument('[number]', HERE, mrNumber)
    .action(async (given: number | undefined, _options, command) => {
      const number = await numberOrHere(cli, command, given)
      const list = z.object({ items: z.array(Commit) })
      const { items } = await cli.client(command).get(`${await mrPath(cli, command, number)}/commits`, list)
      cli.output(command).result(items, ({ table }) =>
        table(
          ['commit', 'author', 'subject'],
          items.map(({ oid, author, message }) => [oid.slice(0, 10), author.name, message.split('\n')[0] ?? '']),
        ),
      )
    })

  withRepository(mr.command('diff').description('what it changes in Git'))
    .argument('[number]', HERE, mrNumber)
    .action(async (given: number | undefined, _options, command) => {
      const number = await numberOrHere(cli, command, given)
      const list = z.object({ items: z.array(FileDiff) })
      const { items } = await cli.client(command).get(`${await mrPath(cli, command, number)}/diff`, list)
      cli.output(command).result(items, () => diffText(items))
    })
}

/** The remote here that is the repository on the server. */
async function remoteHere(cli: Cli, command: Command, doing: string): Promise<string> {
  const name = await repositoryName(cli, command)
  const { url } = cli.client(command).connection
  for (const line of gitHere(cli, ['remote', '-v'], doing).split('\n')) {
    const [, remote, address = ''] = /^(\S+)\t(\S+) \(fetch\)$/.exec(line) ?? []
    // Credentials may stand in the remote's address; the place is what counts.
    const place = address.replace(/\/\/[^@/]*@/, '//').replace(/\.git$/, '')
    if (remote !== undefined && place === `${url}/git/${name}`) return remote
  }
  throw new TrueupError('INVALID_REQUEST', {
    doing,
    why: `no remote here is ${url}/git/${name}.git`,
    next: `Clone it: git clone ${url}/git/${name}.git`,
  })
}
