import type { CommandConfig, StackConfig } from '../config/schema.ts'
import { parseDuration } from '../duration.ts'
import type { IdentityToken } from './identity.ts'
import { driftRules, type EnvironmentRules } from './environment.ts'
import { stackKey, type StackKey } from './stack.ts'
import type { StackCommand, StackDefinition, StackInput } from './definition.ts'

const DEFAULT_TIMEOUT = '1h'
const DEFAULT_COMMAND_TIMEOUT = '10m'

/** Everything of an entry that is the same for each of its stacks; made once, shared by all of them. */
export type SharedSettings = Omit<
  StackDefinition,
  'key' | 'environment' | 'name' | 'path' | 'needs' | 'inputs' | 'drift' | 'pool'
>

export function sharedSettings(entry: StackConfig): SharedSettings {
  return {
    driver: entry.driver,
    driverConfig: (entry.with ?? {}) as StackDefinition['driverConfig'],
    watch: entry.watch ?? [],
    ignore: entry.ignore ?? [],
    unstable: entry.unstable ?? [],
    checks: (entry.checks ?? []).map(command),
    verify: (entry.verify ?? []).map(command),
    onRemove: entry.onRemove ?? 'keep',
    timeoutMs: parseDuration(entry.timeout ?? DEFAULT_TIMEOUT),
    ...(entry.toolVersion !== undefined && { toolVersion: entry.toolVersion }),
    ...(entry.showSecretDiff && { showSecretDiff: true }),
    ...(entry.sandbox && { sandbox: entry.sandbox }),
    ...(entry.network && { network: entry.network }),
    ...(entry.identity && { identity: identityTokens(entry.identity) }),
    ...(entry.sops && { sops: true }),
    ...(entry.labels && { labels: entry.labels }),
    variables: entry.variables ?? {},
  }
}

/** One stack of an entry: the shared settings and what depends on its environment. */
export function stackDefinition(
  entry: StackConfig,
  shared: SharedSettings,
  environment: EnvironmentRules,
  place: { name: string; path: string },
): StackDefinition {
  const inEnvironment = (name: string): StackKey => stackKey(environment.name, name)
  const inputs = Object.entries(entry.inputs ?? {}).map(([name, reference]): [string, StackInput] => {
    const dot = reference.lastIndexOf('.')
    return [name, { stack: inEnvironment(reference.slice(0, dot)), output: reference.slice(dot + 1) }]
  })
  const needs = [...(entry.needs ?? []).map(inEnvironment), ...inputs.map(([, { stack }]) => stack)]
  return {
    key: inEnvironment(place.name),
    environment: environment.name,
    ...place,
    ...shared,
    needs: [...new Set(needs)],
    inputs: Object.fromEntries(inputs),
    drift: driftRules(entry.drift, environment.drift),
    pool: environment.pool,
  }
}

function identityTokens(identity: NonNullable<StackConfig['identity']>): NonNullable<StackDefinition['identity']> {
  const tokens = Object.entries(identity).map(([name, { audience, phase }]): [string, IdentityToken] => [
    name,
    { audience: [audience].flat(), ...(phase && { phase }) },
  ])
  return Object.fromEntries(tokens)
}

function command(config: CommandConfig): StackCommand {
  const { run, name, timeout = DEFAULT_COMMAND_TIMEOUT } = typeof config === 'string' ? { run: config } : config
  const [firstLine = ''] = run.trim().split('\n')
  return { run, name: name ?? firstLine.slice(0, 60), timeoutMs: parseDuration(timeout) }
}
