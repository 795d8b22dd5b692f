import type { Argument, Command, Option } from 'commander'

/** What names a shell can ask for. */
export const KINDS = ['stack', 'local-stack', 'environment', 'mr', 'run', 'repository', 'user'] as const
export type ValueKind = (typeof KINDS)[number]

/** Commands that work on the files here and not on a server. */
const LOCAL = new Set(['plan', 'validate'])

/** The kind of an argument's values by its name, or null for what nobody can list. */
export function kindOfArgument(argument: Argument, command: Command): ValueKind | null {
  const name = argument.name()
  if (/^stacks?$/.test(name))
    return LOCAL.has(command.name()) && (command.parent?.parent ?? null) === null ? 'local-stack' : 'stack'
  if (name === 'number') return command.parent?.name() === 'mr' ? 'mr' : null
  return name === 'run' || name === 'environment' || name === 'repository' || name === 'user' ? name : null
}

/** The kind of an option's values. */
export function kindOfOption({ long }: Option): ValueKind | null {
  const kinds: { [long: string]: ValueKind } = {
    '--stack': 'stack',
    '--env': 'environment',
    '--environment': 'environment',
    '--repo': 'repository',
    '--mr': 'mr',
    '--user': 'user',
  }
  return kinds[long ?? ''] ?? null
}
