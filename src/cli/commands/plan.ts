import { resolve } from 'node:path'
import type { Output, Plan } from '../../domain/plans/plan.ts'
import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import { asTrueupError, TrueupError, type ErrorBody } from '../../lib/errors/error.ts'
import type { CommandModule } from '../cli.ts'

interface PlanOptions {
  env?: string
  input?: string[]
  directory: string
  verbose?: boolean
}

interface PlannedStack {
  stack: string
  plan?: Plan
  error?: ErrorBody
}

/** `trueup plan`: live state against the working tree, committed or not, without a server. */
export const planCommand: CommandModule = (program, cli) => {
  program
    .command('plan')
    .description('what applying the working tree would change, also uncommitted work; needs no server')
    .argument('[stacks...]', 'keys, names or paths of stacks (default: all)')
    .option('--env <environment>', 'only the stacks of this environment')
    .option('--input <name=value...>', 'value of an input that another stack would give')
    .option('--directory <directory>', 'a directory of the repository', '.')
    .option('--verbose', 'show what the tools say')
    .addHelpText(
      'after',
      `
Tools run with your own environment and credentials, on a private copy of the files. Exit code 2: there are changes.

Examples:
  $ trueup plan
  $ trueup plan hosts/web --env production
  $ trueup plan app --input vpc_id=vpc-123`,
    )
    .action(async (names: string[], options: PlanOptions, command) => {
      const { openWorkingTree } = await import('../local/working-tree.ts')
      const { chooseStacks, readStacks } = await import('../local/stacks.ts')
      const { planLocally } = await import('../local/plan.ts')
      const { renderPlanText } = await import('../../domain/render/text.ts')
      const output = cli.output(command)
      const given = new Map((options.input ?? []).map(inputOption))
      const tree = await openWorkingTree(resolve(cli.cwd, options.directory))
      const stacks = chooseStacks((await readStacks(tree)).stacks, names, options.env)
      const outputs = new Map<string, { [name: string]: Output }>()
      const planned: PlannedStack[] = []
      for (const stack of stacks) {
        const { key } = stack.definition
        if (cli.signal.aborted)
          throw new TrueupError('CANCELED', { doing: `planning ${key}`, why: 'it was interrupted' })
        output.progress(`planning ${key} (${stack.driver.name})…`)
        const log = options.verbose ? (line: string) => output.note(`${key} | ${line}`) : () => {}
        try {
          const inputs = inputsOf(stack.definition, outputs, given)
          const plan = await planLocally({ tree, stack, inputs, env: cli.env, signal: cli.signal, log })
          outputs.set(key, plan.outputs)
          planned.push({ stack: key, plan })
        } catch (thrown) {
          // One broken stack must not hide what the others would do.
          planned.push({ stack: key, error: asTrueupError(thrown, `planning ${key}`).toJSON() })
        }
      }
      output.endProgress()
      const width = cli.streams.out.columns ?? 100
      output.result({ root: tree.root, stacks: planned }, () =>
        planned
          .map(({ stack, plan, error }) => {
            const title = output.paint('bold', stack)
            if (error) return `${title}\n${output.paint('red', 'error')}: ${error.doing}: ${error.why}\n${error.next}`
            return `${title}\n${renderPlanText(plan!, { color: output.paint('bold', 'x') !== 'x', width })}`
          })
          .join('\n\n'),
      )
      const changed = planned.some(({ plan }) => plan !== undefined && plan.changes.length > 0)
      cli.exitWith(planned.some(({ error }) => error) ? 1 : changed ? 2 : 0)
    })
}

/** Values from the command line first, then what an upstream stack planned in this very call would give. */
function inputsOf(
  definition: StackDefinition,
  outputs: ReadonlyMap<string, { [name: string]: Output }>,
  given: ReadonlyMap<string, string>,
): { [name: string]: ResolvedInput } {
  const inputs: { [name: string]: ResolvedInput } = {}
  for (const [name, from] of Object.entries(definition.inputs)) {
    const value = given.get(name)
    const upstream = outputs.get(from.stack)?.[from.output]
    if (value !== undefined) inputs[name] = { value, sensitive: false }
    else if (upstream && !upstream.unknown && !upstream.sensitive) {
      inputs[name] = { value: upstream.value, sensitive: false, predicted: true }
    } else {
      throw new TrueupError('INVALID_REQUEST', {
        doing: `planning ${definition.key}`,
        why: `its input "${name}" is the output "${from.output}" of ${from.stack}, which is not known here`,
        next: `Give it a value: --input ${name}=VALUE.`,
      })
    }
  }
  return inputs
}

function inputOption(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new TrueupError('INVALID_REQUEST', { doing: 'reading --input', why: `"${text}" is not NAME=VALUE` })
}
