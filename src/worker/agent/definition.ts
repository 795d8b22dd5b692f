import { parseConfigWithLines } from '../../domain/config/parse.ts'
import type { StackConfig, TrueupConfig } from '../../domain/config/schema.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import { discoverStacks } from '../../domain/stacks/discover.ts'
import { stackKey } from '../../domain/stacks/stack.ts'
import type { GitRepository } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Grant } from '../protocol.ts'

export const CONFIG_FILE = 'trueup.yaml'

/** A stack as the signed commit itself describes it. */
export interface SignedStack {
  definition: StackDefinition
  config: TrueupConfig
  /** Names of its inputs, whose values no signature covers. */
  inputs: string[]
}

/**
 * Reads from a commit what a stack is, whatever the server says of it. An agent has not the whole tree, so each entry of
 * the configuration is asked by itself whether the stack's directory is one of its.
 */
export async function signedStack(
  repository: GitRepository,
  commit: string,
  stack: Pick<Grant['stack'], 'environment' | 'name' | 'path'>,
): Promise<SignedStack> {
  const key = stackKey(stack.environment, stack.name)
  const doing = `reading stack ${key} of commit ${commit}`
  const file = await repository.readFile(commit, CONFIG_FILE)
  if (file === null) throw new TrueupError('PACK_INVALID', { doing, why: `the commit has no ${CONFIG_FILE}` })
  const { config } = parseConfigWithLines(file)
  const directories = withParents(stack.path)
  const found = config.stacks.flatMap((entry): SignedStack[] => {
    // Others that it needs cannot be seen here; the server has checked that, and the order is the server's.
    const { needs: _needs, inputs = {}, ...alone } = entry
    const definition = definitionsOf(config, alone, directories).find(
      (each) => each.key === key && each.path === stack.path,
    )
    return definition ? [{ definition, config, inputs: Object.keys(inputs) }] : []
  })
  const [only, other] = found
  if (only && !other) return only
  const why = other ? 'more than one entry of the configuration gives it' : 'the signed configuration has no such stack'
  throw new TrueupError('AGENT_REFUSES', { doing, why, next: 'Find out why the server asks for something else.' })
}

function definitionsOf(
  config: ReturnType<typeof parseConfigWithLines>['config'],
  entry: StackConfig,
  directories: readonly string[],
): StackDefinition[] {
  try {
    return discoverStacks({ ...config, stacks: [entry], policies: [] }, directories).stacks
  } catch (thrown) {
    // It names directories that are not in the pack: an entry of others.
    if (thrown instanceof TrueupError && thrown.code === 'CONFIG_INVALID') return []
    throw thrown
  }
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
function withParents(path: string): string[] {
  const components = path.split('/')
  return components.map((_, at) => components.slice(0, at + 1).join('/'))
}
