import { readFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { LOCAL_ADDRESS, localAddress } from '../local-server.ts'
import type { RunnerOptions } from '../options.ts'
import { NO_SANDBOX } from '../sandbox/settings.ts'

/** Shapes that the two kinds of agents share. */
export const absent = <T>(schema: z.ZodType<T>) => schema.optional()
export const file = z.string().min(1)
export const LocalAddressText = z.string().regex(LOCAL_ADDRESS, 'an address of the loopback: 127.0.0.1:7430')

/** Whose signatures count. Paths are relative to the configuration file. */
export const SignersConfig = z
  .strictObject({
    /** allowed_signers of ssh-keygen(1). */
    ssh: absent(file),
    /** Revoked public keys, or a key revocation list. */
    sshRevoked: absent(file),
    /** GnuPG's home directory, with the public keys. */
    gpgHome: absent(file),
    /** Fingerprints (of primary keys) in it that count. */
    gpgKeys: z.array(z.string().regex(/^[0-9A-F]{40,64}$/, 'a full fingerprint: 40 hex digits, capital')).default([]),
  })
  .refine(
    (signers) => signers.ssh !== undefined || signers.gpgKeys.length > 0,
    'name `ssh`, or `gpgHome` and `gpgKeys`',
  )
  .refine((signers) => (signers.gpgHome === undefined) === (signers.gpgKeys.length === 0), {
    message: '`gpgHome` and `gpgKeys` need each other',
  })
export type SignersConfig = z.infer<typeof SignersConfig>

/** What of the server's word is taken although no signature covers it. */
export const ACCEPTABLE = ['inputs', 'destroys', 'requests', 'state'] as const

const RepositoryConfig = z.strictObject({
  branch: z.string().min(1).default('main'),
  /** All where absent. */
  environments: absent(z.array(z.string().min(1)).min(1)),
  /** A commit that the first one must be, or come after. */
  since: absent(z.string().regex(/^[0-9a-f]{40,64}$/, 'a full commit id')),
  /** Who signs what the branch holds: the forge, or people. */
  signers: SignersConfig,
  /** In addition, one of these has signed the merged branch, and what is applied is what it held. */
  authors: absent(SignersConfig),
  /** Whether the signed message has to name repository and branch, or may leave it out. */
  target: z.enum(['required', 'where-named']).default('required'),
  /** Plans of merge requests: never, or where one of `authors` (else `signers`) has signed the branch. */
  previews: z.enum(['never', 'signed']).default('never'),
  accept: z.array(z.enum(ACCEPTABLE)).default([]),
  /** Names of the server's variables that tools get. */
  serverVariables: z.array(z.string().min(1)).default([]),
})
export type RepositoryConfig = z.infer<typeof RepositoryConfig>

const Variable = z.union([z.string(), z.strictObject({ file })])
const seconds = z.number().min(0).max(86_400)

const ProxyUrl = z
  .string()
  .regex(
    /^https?:\/\/[^/@]+\/?$/,
    'a URL such as http://proxy.example.org:3128, with user and password in `credentials`',
  )

export const DEFAULT_DATA = '/var/lib/trueup-agent'
/** How runs are executed, wherever the word for them comes from. */
export const EXECUTION = {
  data: file.default(DEFAULT_DATA),
  name: z.string().min(1).default(hostname),
  slots: z.int().min(1).max(1000).default(availableParallelism),
  workspaces: absent(file),
  passEnv: z.array(z.string()).default([]),
  grace: seconds.default(10),
  drain: seconds.default(600),
  /** For the tools of every stack here: a value, or a file with a secret one. */
  variables: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'a name of a variable'), Variable).default({}),
}
type Execution = z.infer<z.ZodObject<typeof EXECUTION>>
/** A path of the configuration, made absolute. */
type At = (name: string) => string

const HttpUrl = z
  .string()
  .regex(/^https?:\/\/[^/]/, 'a URL such as https://trueup.example.org')
  .transform((url) => url.replace(/\/+$/, ''))

const AgentConfig = z.strictObject({
  ...EXECUTION,
  server: HttpUrl,
  /** Holds the one-time enrolment token; needed at the first start only. */
  tokenFile: absent(file),
  transport: z.enum(['auto', 'long-poll']).default('auto'),
  /** On the way to the server; `none`: whatever the environment says. Credentials stand in a file of their own. */
  proxy: absent(z.union([z.literal('none'), ProxyUrl, z.strictObject({ url: ProxyUrl, credentials: absent(file) })])),
  /** Certificates of authorities besides the host's own. */
  ca: z.array(file).default([]),
  /** What the server's side may ask for. */
  clientCertificate: absent(z.strictObject({ cert: file, key: file })),
  repositories: z
    .record(z.string(), RepositoryConfig)
    .refine((all) => Object.keys(all).length > 0, 'name at least one'),
  /** A cache that packs are asked of before the server is. */
  packs: absent(HttpUrl),
  /** Address at which it serves its metrics to this host. */
  metrics: absent(LocalAddressText),
  /** Whether an administrator of the server may read this agent's own log. */
  shareLog: z.boolean().default(true),
  /** Heal what has drifted while the server is away for longer than this many seconds; never where `false`. */
  alone: z.union([z.literal(false), z.number().min(30).max(86_400)]).default(60),
})

export interface AgentSettings {
  /** Milliseconds without the server after which drift is healed alone; null for never. */
  aloneAfterMs: number | null
  options: RunnerOptions
  /** Address of a cache of packs, no slash at the end. */
  packs?: string
  repositories: { [name: string]: RepositoryConfig }
  variables: { [name: string]: { value: string; secret: boolean } }
}

/** Reads the agent's configuration. CONFIG_SYNTAX or CONFIG_INVALID with the key; paths come out absolute. */
export function readAgentConfig(path: string): AgentSettings {
  const doing = `reading the agent's configuration ${path}`
  const { parsed, at } = readSettings(path, AgentConfig, doing)
  const { server, tokenFile, transport, alone } = parsed
  const token = tokenFile === undefined ? undefined : readOptional(at(tokenFile), doing)
  return {
    aloneAfterMs: alone === false ? null : alone * 1000,
    options: {
      ...optionsOf(parsed, at),
      server,
      transport,
      route: routeOf(parsed, at),
      ...(token !== undefined && { token }),
      ...(parsed.metrics !== undefined && { metrics: localAddress(parsed.metrics) }),
      shareLog: parsed.shareLog,
    },
    ...(parsed.packs !== undefined && { packs: parsed.packs }),
    repositories: Object.fromEntries(
      Object.entries(parsed.repositories).map(([repository, settings]) => [repository, placed(settings, at)]),
    ),
    variables: variablesAt(parsed.variables, at, doing),
  }
}

type Route = Pick<z.infer<typeof AgentConfig>, 'proxy' | 'ca' | 'clientCertificate'>

function routeOf({ proxy, ca, clientCertificate }: Route, at: At): RunnerOptions['route'] {
  const named = typeof proxy === 'string' ? { url: proxy } : proxy
  return {
    ...(named && { proxy: named.url === 'none' ? null : named.url }),
    ...(named?.credentials !== undefined && { proxyCredentials: at(named.credentials) }),
    ca: ca.map(at),
    ...(clientCertificate && {
      clientCertificate: { cert: at(clientCertificate.cert), key: at(clientCertificate.key) },
    }),
  }
}

/** Reads a file of YAML by a schema; `over`: keys that win over those of the file. */
export function readSettings<T>(
  path: string,
  schema: z.ZodType<T>,
  doing: string,
  over: object = {},
): { parsed: T; at: At } {
  const read = readYaml(readText(path, doing), doing)
  const parsed = schema.safeParse(typeof read === 'object' && read !== null ? { ...read, ...over } : read)
  if (parsed.success) return { parsed: parsed.data, at: (name) => resolve(dirname(resolve(path)), name) }
  const issues = parsed.error.issues.map(({ path: key, message }) => `${key.join('.') || 'it'}: ${message}`)
  const why = issues.slice(0, 5).join('; ')
  throw new TrueupError('CONFIG_INVALID', { doing, why, next: 'docs/concepts/agents.md has every key.' })
}

/** Everything of a runner's options but whom it talks to. */
export function optionsOf({ data, name, slots, workspaces, passEnv, grace, drain }: Execution, at: At): RunnerOptions {
  return {
    server: '',
    data: at(data),
    name,
    pools: [],
    slots,
    ...(workspaces !== undefined && { workspaces: at(workspaces) }),
    passEnv,
    graceMs: grace * 1000,
    drainMs: drain * 1000,
    withParent: false,
    rotateKey: false,
    route: {},
    shareLog: false,
    transport: 'auto',
    // It executes what its own signers have signed: only stacks that ask for a sandbox have one.
    sandbox: { ...NO_SANDBOX, mode: 'auto', hide: [at(data)] },
  }
}

export function variablesAt(variables: Execution['variables'], at: At, doing: string): AgentSettings['variables'] {
  const read = (given: z.infer<typeof Variable>) =>
    typeof given === 'string'
      ? { value: given, secret: false }
      : { value: readText(at(given.file), doing).replace(/\n$/, ''), secret: true }
  return Object.fromEntries(Object.entries(variables).map(([name, given]) => [name, read(given)]))
}

export const signersAt = ({ ssh, sshRevoked, gpgHome, gpgKeys }: SignersConfig, at: At): SignersConfig => ({
  ...(ssh !== undefined && { ssh: at(ssh) }),
  ...(sshRevoked !== undefined && { sshRevoked: at(sshRevoked) }),
  ...(gpgHome !== undefined && { gpgHome: at(gpgHome) }),
  gpgKeys,
})

function placed(repository: RepositoryConfig, at: At): RepositoryConfig {
  const { signers, authors } = repository
  return { ...repository, signers: signersAt(signers, at), ...(authors && { authors: signersAt(authors, at) }) }
}

/** CONFIG_INVALID where it cannot be read. */
export function readText(path: string, doing: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const why = isMissing ? 'there is no such file' : (cause as Error).message
    throw new TrueupError('CONFIG_INVALID', { doing, why, next: 'docs/concepts/agents.md shows one.', cause })
  }
}

function readYaml(text: string, doing: string): unknown {
  const document = parseDocument(text)
  const [wrong] = document.errors
  const syntax = (why: string | undefined): TrueupError =>
    new TrueupError('CONFIG_SYNTAX', { doing, why: why ?? 'it is no YAML' })
  if (wrong) throw syntax(wrong.message.split('\n')[0])
  try {
    return document.toJS({ maxAliasCount: 20 })
  } catch (cause) {
    throw syntax((cause as Error).message)
  }
}

/** The token's file is gone once it was used. */
function readOptional(path: string, doing: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new TrueupError('CONFIG_INVALID', { doing, why: (cause as Error).message, cause })
  }
}
