import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'
import type { Json } from '../../../lib/json.ts'

/** Names of the file that `sam deploy` reads beside the template. */
export const SAM_CONFIGS = ['samconfig.toml', 'samconfig.yaml', 'samconfig.yml'] as const

/**
 * What `sam deploy` would take from its configuration, as settings of a stack: those of the environment `default`, or of the
 * only one (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html).
 * Values of a command win over `global`. Empty where the file cannot be read: it is a proposal.
 */
export function samSettings(text: string, name: string): { [key: string]: Json } {
  const environments = Object.entries(objectOf(read(text, name))).filter(([key]) => key !== 'version')
  const chosen =
    environments.find(([key]) => key === 'default') ?? (environments.length === 1 ? environments[0] : undefined)
  if (chosen === undefined) return {}
  const commands = objectOf(chosen[1])
  const given = { ...parametersOf(commands['global']), ...parametersOf(commands['deploy']) }
  const settings: { [key: string]: Json } = {}
  const copy = (from: string, to: string): void => {
    if (typeof given[from] === 'string' && given[from] !== '') settings[to] = given[from]
  }
  copy('stack_name', 'stackName')
  copy('region', 'region')
  copy('s3_bucket', 'bucket')
  copy('s3_prefix', 'bucketPrefix')
  copy('role_arn', 'roleArn')
  const capabilities = wordsOf(given['capabilities'])
  if (capabilities.length > 0) settings['capabilities'] = capabilities
  for (const [from, to] of [
    ['parameter_overrides', 'parameters'],
    ['tags', 'tags'],
  ] as const) {
    const pairs = pairsOf(given[from])
    if (Object.keys(pairs).length > 0) settings[to] = pairs
  }
  return settings
}

function read(text: string, name: string): unknown {
  try {
    return name.endsWith('.toml') ? parseToml(text) : parseYaml(text)
  } catch {
    return {}
  }
}

const objectOf = (value: unknown): { [key: string]: unknown } =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as { [key: string]: unknown }) : {}

const parametersOf = (command: unknown): { [key: string]: unknown } => objectOf(objectOf(command)['parameters'])

/** A list, or words in one text, which may be in quotes as a shell takes them: `Name="a b" Size=2`. */
function wordsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String)
  if (typeof value !== 'string') return []
  return [...value.matchAll(/(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*')+/g)].map(([word]) => word)
}

/** `A=b`, `"A"="b"`, or the older `ParameterKey=A,ParameterValue=b`. */
function pairsOf(value: unknown): { [key: string]: string } {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, String(each)]))
  }
  return Object.fromEntries(
    wordsOf(value).flatMap((word) => {
      const old = /^ParameterKey=(.*?),ParameterValue=(.*)$/s.exec(word)
      const pair = old ?? /^([^=]+)=(.*)$/s.exec(word)
      return pair === null ? [] : [[bare(pair[1]!), bare(pair[2]!)]]
    }),
  )
}

const bare = (word: string): string =>
  /^"(.*)"$/s.exec(word)?.[1]?.replace(/\\(.)/g, '$1') ?? /^'(.*)'$/s.exec(word)?.[1] ?? word
