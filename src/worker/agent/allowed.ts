import { digestOf } from '../../lib/digest.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Grant, WatchOrder } from '../protocol.ts'
import type { VariablesOrder } from '../runs/source.ts'
import type { AgentSettings, RepositoryConfig } from './config.ts'
import type { SignedStack } from './definition.ts'

type Order = WatchOrder & Partial<Pick<Grant, 'kind' | 'destroy' | 'request'>>

/** AGENT_REFUSES where the configuration does not name it. */
export function repositoryNamed({ repositories }: AgentSettings, name: string): RepositoryConfig {
  const rules = Object.hasOwn(repositories, name) ? repositories[name] : undefined
  if (rules) return rules
  throw refused(`working for repository "${name}"`, "it is not among the `repositories` of the agent's configuration")
}

/** What the configuration alone can say about an order, before anything is fetched. */
export function assertAllowed(settings: AgentSettings, { stack, kind, destroy, request }: Order): void {
  const rules = repositoryNamed(settings, stack.repository)
  const doing = `executing a run of stack ${stack.name} in ${stack.environment}`
  if (rules.environments && !rules.environments.includes(stack.environment))
    throw refused(doing, `"${stack.environment}" is not among the \`environments\` of repository ${stack.repository}`)
  if (kind === 'preview' && rules.previews === 'never')
    throw refused(doing, 'this agent plans no merge requests (`previews: never`)')
  if (destroy && !rules.accept.includes('destroys'))
    throw refused(doing, 'no signature covers that it is to be destroyed, and `accept` does not name `destroys`')
  if (request && !rules.accept.includes('requests'))
    throw refused(doing, 'no signature covers what is asked for, and `accept` does not name `requests`')
}

/**
 * The order as the agent executes it: everything that decides what is done comes from the signed commit, the rest (ids,
 * keys of hashes) from the server. Throws where the stack takes inputs, which no signature covers, and those are not accepted.
 */
export function believed<O extends Order>(
  settings: AgentSettings,
  order: O,
  { definition, inputs, paths }: SignedStack & { paths: string[] },
): O & VariablesOrder {
  const { accept } = repositoryNamed(settings, order.stack.repository)
  if (inputs.length > 0 && !accept.includes('inputs'))
    throw refused(
      `reading the inputs of stack ${definition.key}`,
      `no signature covers the values of ${inputs.join(', ')}, and \`accept\` does not name \`inputs\``,
    )
  const preview = order.kind === 'preview'
  const {
    stateBackend,
    sandbox,
    sops: _sops,
    showSecretDiff: _,
    toolVersion: _version,
    ...rest
  } = order as O & Partial<Grant>
  return {
    ...rest,
    // Caches are this agent's: what the server calls the stack must not lead to those of another.
    stack: { ...order.stack, id: ownId(order.stack) },
    driver: definition.driver,
    driverConfig: definition.driverConfig,
    paths,
    ignore: definition.ignore,
    signedVariables: definition.variables,
    signedTokens: Object.keys(definition.identity ?? {}),
    inputs: Object.fromEntries(Object.entries(order.inputs).filter(([name]) => inputs.includes(name))),
    ...(definition.toolVersion !== undefined && { toolVersion: definition.toolVersion }),
    ...(definition.sops && { sops: true }),
    ...(definition.showSecretDiff && !preview && { showSecretDiff: true }),
    ...((definition.sandbox ?? sandbox?.untrusted) && {
      sandbox: {
        untrusted: sandbox?.untrusted ?? false,
        network: definition.network ?? [],
        ...(definition.sandbox && { asked: definition.sandbox }),
      },
    }),
    ...(stateBackend && accept.includes('state') && { stateBackend }),
    ...('checks' in order && { checks: preview ? definition.checks : [] }),
    ...('verify' in order && { verify: order.destroy ? [] : definition.verify }),
    ...('timeoutMs' in order && { timeoutMs: definition.timeoutMs }),
  } as O & VariablesOrder
}

/** By its names, which the signed commit bears: under another id, which is the server's, an old commit would be a first one. */
export const nameOf = ({ repository, environment, name }: Grant['stack']): string =>
  `${repository}/${environment}/${name}`

const ownId = (stack: Grant['stack']): string => `own-${digestOf(nameOf(stack)).slice(0, 24)}`

const refused = (doing: string, why: string): TrueupError => new TrueupError('AGENT_REFUSES', { doing, why })
