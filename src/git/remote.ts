import { TrueupError } from '../lib/errors/error.ts'
import { tellsOfNoRoom } from '../lib/errors/no-room.ts'
import type { GitCommand } from './git-command.ts'
import { NO_OID } from './repository.ts'
import type { GitRepository, GitRunOptions, GitRunResult, RemoteBranch, RemoteRepository } from './repository.ts'

type Remote = Pick<GitRepository, 'remoteHead' | 'fetchRemote' | 'fetchBranches' | 'fetchRef' | 'pushBranch'>

const ASK_MS = 60_000
const FETCH_MS = 20 * 60_000
/** What programs that git starts for a connection look at: ssh for its keys and agent, all of them for proxies. */
const PASSED = ['HOME', 'USER', 'SSH_AUTH_SOCK', 'HTTPS_PROXY', 'https_proxy', 'http_proxy', 'ALL_PROXY', 'all_proxy']
const NO_PROXY = ['NO_PROXY', 'no_proxy']

export function createRemote(git: GitCommand): Remote {
  /** Settings and credentials come from a file, since a command line can be read by everybody on the host. */
  const ask = async (doing: string, { config }: RemoteBranch, argv: string[], options: GitRunOptions) => {
    const env = { ...passedOn(), GIT_CONFIG_GLOBAL: config }
    return heard(doing, await git.run(argv, { ...options, env }))
  }
  return {
    async remoteHead(at, signal) {
      const reference = `refs/heads/${at.branch}`
      const argv = ['ls-remote', '--', at.url, reference]
      const { stdout } = await ask(`asking ${at.url} for branch ${at.branch}`, at, argv, { signal, timeoutMs: ASK_MS })
      const lines = stdout.toString('utf8').split('\n')
      // A pattern fits the ends of longer names too.
      const [oid] = lines.map((line) => line.split('\t')).find(([, name]) => name === reference) ?? []
      return oid ?? null
    },
    async fetchRemote(at, into, signal) {
      const refspec = `+refs/heads/${at.branch}:${into}`
      const argv = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', at.url, refspec]
      await ask(`fetching branch ${at.branch} of ${at.url}`, at, argv, { signal, timeoutMs: FETCH_MS })
    },
    async fetchBranches(from, signal, except) {
      const flags = ['--quiet', '--force', '--prune', '--no-tags', '--no-write-fetch-head']
      const refs = ['+refs/heads/*:refs/heads/*', ...(except === undefined ? [] : [`^refs/heads/${except}*`])]
      const argv = ['fetch', ...flags, '--', from.url, ...refs]
      heard(`fetching ${from.url}`, await git.run(...opened(from, argv, { signal, timeoutMs: FETCH_MS })))
    },
    async fetchRef(from, ref, into) {
      const flags = ['--quiet', '--force', '--no-tags', '--no-write-fetch-head']
      const argv = ['fetch', ...flags, '--', from.url, `+${ref}:${into}`]
      heard(`fetching ${ref} of ${from.url}`, await git.run(...opened(from, argv, { timeoutMs: FETCH_MS })))
    },
    async pushBranch({ branch, ...to }, newOid, oldOid) {
      const ref = `refs/heads/${branch}`
      const lease = `--force-with-lease=${ref}:${oldOid === NO_OID ? '' : oldOid}`
      const argv = ['push', '--quiet', '--porcelain', lease, '--', to.url, `${newOid}:${ref}`]
      const result = await git.run(...opened(to, argv, { timeoutMs: FETCH_MS }))
      const said = result.stdout.toString('utf8')
      // What the lease refuses, and what the other side found moved between its answer and the push.
      if (
        /^!.*\((?:stale info|fetch first|failed to update ref|reference already exists|incorrect old value provided)\)$/m.test(
          said,
        )
      )
        return false
      const doing = `pushing branch ${branch} to ${to.url}`
      const refused = said.split('\n').filter((line) => line.startsWith('!'))
      heard(doing, refused.length > 0 ? { ...result, stderr: `${result.stderr}\n${refused.join('\n')}` } : result)
      return true
    },
  }
}

function passedOn(): { [name: string]: string } {
  const names = [...PASSED, ...NO_PROXY].filter((name) => process.env[name] !== undefined)
  return Object.fromEntries(names.map((name) => [name, process.env[name]!]))
}

/** Answers git's question for credentials from its own environment, which other accounts of the host cannot read. */
const HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$TRUEUP_REMOTE_USER" "$TRUEUP_REMOTE_PASSWORD"; }; f'

/** The command with credentials for this one host. */
function opened(
  { url, username, password }: RemoteRepository,
  argv: string[],
  options: GitRunOptions,
): [string[], GitRunOptions] {
  const settings = [
    'credential.helper=',
    `credential.${new URL(url).origin}.helper=${HELPER}`,
    'http.followRedirects=false',
  ]
  const env = { ...passedOn(), TRUEUP_REMOTE_USER: username, TRUEUP_REMOTE_PASSWORD: password }
  return [[...settings.flatMap((setting) => ['-c', setting]), ...argv], { ...options, env }]
}

function heard(doing: string, result: GitRunResult): GitRunResult {
  if (result.exitCode === 0) return result
  const why = result.stderr.trim().split('\n').slice(-3).join('; ') || `git ended with ${result.exitCode}`
  const failed = new TrueupError('REMOTE_UNREACHABLE', { doing, why })
  throw tellsOfNoRoom(failed) ? new TrueupError('NO_ROOM', failed.text) : failed
}
