import { resolve } from 'node:path'
import type { Finding } from '../../domain/plans/plan.ts'
import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import { asTrueupError } from '../../lib/errors/error.ts'
import { Team, User } from '../../server/schemas/people.ts'
import type { CommandModule } from '../cli.ts'
import type { Client } from '../client.ts'
import type { Accounts } from '../local/code-owners.ts'
import type { LocalStack, StackFinding } from '../local/stacks.ts'
import { collect } from '../output.ts'
import { findConnection } from '../settings.ts'

interface ValidateOptions {
  tools?: boolean
  env?: string
}

/** `trueup validate`: what the server would say to this working tree, without a server. */
export const validateCommand: CommandModule = (program, cli) => {
  program
    .command('validate')
    .description('check trueup.yaml, CODEOWNERS and the stacks of the working tree; needs no server')
    .argument('[directory]', 'a directory of the repository', '.')
    .option('--tools', 'also let each tool check its source (terraform validate and the like)')
    .option('--env <environment>', 'only the stacks of this environment')
    .addHelpText('after', '\nExit code 1 when something is wrong.\n\nExample:\n  $ trueup validate --tools')
    .action(async (directory: string, options: ValidateOptions, command) => {
      const { openWorkingTree } = await import('../local/working-tree.ts')
      const { chooseStacks, readStacks, sharedPlaces } = await import('../local/stacks.ts')
      const { localContext } = await import('../local/context.ts')
      const { keptLinks, refuseEscapingLinks } = await import('../../git/workspace/links.ts')
      const output = cli.output(command)
      const tree = await openWorkingTree(resolve(cli.cwd, directory))
      const { stacks: all, findings: found } = await readStacks(tree)
      const stacks = options.env === undefined ? all : chooseStacks(all, [], options.env)
      const { ownersFindings } = await import('../local/code-owners.ts')
      const isLoggedIn = findConnection(cli.env, command.optsWithGlobals()).token !== null
      const findings: StackFinding[] = [
        ...found,
        ...(await ownersFindings(tree, isLoggedIn ? () => accountsOf(cli.client(command)) : null)),
        ...(await sharedPlaces(tree, all)),
      ]
      for (const stack of stacks) {
        const { key } = stack.definition
        if (options.tools) output.progress(`checking ${key}…`)
        try {
          for (const finding of await check(stack)) findings.push({ ...finding, stack: key })
        } catch (thrown) {
          const { code, text, next } = asTrueupError(thrown, `checking ${key}`)
          if (code === 'CANCELED') throw thrown
          // One broken stack must not hide what is wrong with the others.
          findings.push({ severity: 'error', code, message: `${text.doing}: ${text.why}`, next, stack: key })
        }
      }
      output.endProgress()
      const errors = findings.filter(({ severity }) => severity === 'error').length
      const result = {
        ok: errors === 0,
        root: tree.root,
        stacks: stacks.map(({ definition }) => definition.key),
        findings,
      }
      output.result(result, () => [...findings.map((finding) => line(finding)), summary()].join('\n'))
      if (errors > 0) cli.exitWith(1)

      async function check(stack: LocalStack): Promise<Finding[]> {
        // Finding its dependencies reads the sources: a stack that points outside the repository is refused here.
        const { path, watch } = stack.definition
        const needed = await stack.driver.dependencies(tree.read, tree.list, path, stack.config)
        const links = await tree.links([path, ...needed, ...tree.matching(watch)])
        const doing = 'looking at the files that a run would get'
        if (stack.driver.keepsLinks?.(stack.config)) keptLinks(links, doing)
        else refuseEscapingLinks(links, doing)
        if (!options.tools) return []
        const inputs = namesOnly(stack.definition.inputs)
        const { signal, env } = cli
        const local = await localContext({ tree, stack, inputs, phase: 'plan', env, signal, log: () => {} })
        try {
          return await stack.driver.validate(local.context)
        } finally {
          await local.remove()
        }
      }

      function line({ severity, message, path, line: at, stack, next }: StackFinding): string {
        const place = [stack, path && at ? `${path}:${at}` : path, !path && at ? `line ${at}` : undefined]
          .filter(Boolean)
          .join(' ')
        const style = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim'
        return `${output.paint(style, severity)}${place === '' ? '' : ` ${place}`}: ${message}${next ? `\n  ${next}` : ''}`
      }
      function summary(): string {
        const checked = `${stacks.length} ${stacks.length === 1 ? 'stack' : 'stacks'} checked${options.tools ? '' : ' (add --tools to let the tools check their sources)'}`
        return errors === 0 ? `${output.paint('green', 'ok')}: ${checked}` : `${checked}, ${errors} with errors`
      }
    })
}

async function accountsOf(client: Client): Promise<Accounts> {
  const users = await collect(client.all('/api/v1/users', User))
  const teams = await collect(client.all('/api/v1/teams', Team))
  return {
    users: new Set(users.map(({ name }) => name)),
    emails: new Set(users.map(({ email }) => email.toLowerCase())),
    teams: new Set(teams.map(({ name }) => name)),
  }
}

/** Declared inputs, without the values that only deployed stacks have: their names stand for them. */
const namesOnly = (declared: StackDefinition['inputs']): { [name: string]: ResolvedInput } =>
  Object.fromEntries(Object.keys(declared).map((name) => [name, { value: `/${name}`, sensitive: false }]))
