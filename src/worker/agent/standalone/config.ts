import { basename } from 'node:path'
import { z } from 'zod'
import { TrueupError } from '../../../lib/errors/error.ts'
import {
  absent,
  type AgentSettings,
  EXECUTION,
  file,
  LocalAddressText,
  optionsOf,
  readSettings,
  readText,
  type RepositoryConfig,
  SignersConfig,
  signersAt,
  variablesAt,
} from '../config.ts'
import { type LocalAddress, localAddress } from '../../local-server.ts'

/** Forges that show commit statuses. */
export const STATUS_APIS = ['github', 'gitlab', 'gitea'] as const

const Status = z.strictObject({
  api: z.enum(STATUS_APIS),
  /** Base of the API: `https://api.github.com`, `https://gitlab.example.org/api/v4`, `https://gitea.example.org/api/v1`. */
  url: z
    .string()
    .regex(/^https?:\/\/[^/]/, 'a URL such as https://api.github.com')
    .transform((url) => url.replace(/\/+$/, '')),
  /** `owner/name`; for GitLab the whole path, or the number of the project. */
  repository: z.string().min(1),
  tokenFile: file,
})
export type StatusConfig = z.infer<typeof Status>

const Credentials = z.strictObject({ username: z.string().min(1).default('x-access-token'), passwordFile: file })

const StandaloneConfig = z.strictObject({
  ...EXECUTION,
  /** https, ssh, file, or a path: whatever git fetches from. */
  git: z.string().min(1),
  branch: z.string().min(1).default('main'),
  /** As trailers of signed commits name it; default the last part of the URL. */
  repository: absent(z.string().min(1)),
  environments: absent(z.array(z.string().min(1)).min(1)),
  signers: SignersConfig,
  authors: absent(SignersConfig),
  since: absent(z.string().regex(/^[0-9a-f]{40,64}$/, 'a full commit id')),
  target: z.enum(['required', 'where-named']).default('where-named'),
  /** Seconds between two looks at the branch. */
  poll: z.number().min(1).max(86_400).default(60),
  /** For https. */
  credentials: absent(Credentials),
  /** A file in the form of a .gitconfig, for this connection: CAs, proxies, ssh commands, credential helpers. */
  gitConfig: absent(file),
  /** Tells the forge how each commit went. */
  status: absent(Status),
  /** Address of a page for people and of metrics. */
  page: absent(LocalAddressText),
})

export interface StandaloneSettings {
  /** What it has in common with an agent of a server, of which it has none. */
  agent: AgentSettings
  /** Name of the repository. */
  name: string
  remote: { url: string; branch: string }
  pollMs: number
  credentials?: { username: string; password: string }
  gitConfig?: string
  status?: Omit<StatusConfig, 'tokenFile'> & { token: string }
  page?: LocalAddress
}

/** Reads the configuration of an agent without a server. `git`: the URL of the command line, which wins. */
export function readStandaloneConfig(path: string, git?: string): StandaloneSettings {
  const doing = `reading the agent's configuration ${path}`
  const { parsed, at } = readSettings(path, StandaloneConfig, doing, git === undefined ? {} : { git })
  if (parsed.credentials && !/^https?:/.test(parsed.git)) {
    const why = 'credentials: they are for https; ssh has its keys, and `gitConfig` names others'
    throw new TrueupError('CONFIG_INVALID', { doing, why })
  }
  const { branch, environments, since, target, authors, credentials, status, page, gitConfig } = parsed
  const url = remoteUrl(parsed.git, doing)
  const rules: RepositoryConfig = {
    branch,
    signers: signersAt(parsed.signers, at),
    target,
    previews: 'never',
    // Values come from this agent's own applies, and nobody else asks for anything.
    accept: ['inputs'],
    serverVariables: [],
    ...(environments && { environments }),
    ...(since !== undefined && { since }),
    ...(authors && { authors: signersAt(authors, at) }),
  }
  const name = parsed.repository ?? (basename(url.replace(/\/+$/, ''), '.git') || 'repository')
  const secret = (from: string): string => readText(at(from), doing).trim()
  return {
    agent: {
      aloneAfterMs: null,
      options: { ...optionsOf(parsed, at), server: '' },
      repositories: { [name]: rules },
      variables: variablesAt(parsed.variables, at, doing),
    },
    name,
    remote: { url, branch },
    pollMs: parsed.poll * 1000,
    ...(credentials && { credentials: { username: credentials.username, password: secret(credentials.passwordFile) } }),
    ...(gitConfig !== undefined && { gitConfig: at(gitConfig) }),
    ...(status && {
      status: { api: status.api, url: status.url, repository: status.repository, token: secret(status.tokenFile) },
    }),
    ...(page !== undefined && { page: localAddress(page) }),
  }
}

/** `ext::` and other helpers run commands: what a URL may be is said here, and not by git's own settings. */
function remoteUrl(url: string, doing: string): string {
  const isKnown = /^(https?|ssh|git|file):\/\/./.test(url) || /^[\w.-]+@[\w.-]+:[^:]/.test(url) || url.startsWith('/')
  if (isKnown) return url
  const why = `git: ${JSON.stringify(url)} is neither an https, ssh or file URL nor an absolute path`
  throw new TrueupError('CONFIG_INVALID', { doing, why })
}
