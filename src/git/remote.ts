import { TrueupError } from '../lib/errors/error.ts'
import { tellsOfNoRoom } from '../lib/errors/no-room.ts'
import type { GitCommand } from './git-command.ts'
import type { GitRepository, GitRunOptions, GitRunResult, RemoteBranch } from './repository.ts'

type Remote = Pick<GitRepository, 'remoteHead' | 'fetchRemote'>

const ASK_MS = 60_000
const FETCH_MS = 20 * 60_000
/** What programs that git starts for a connection look at: ssh for its keys and agent, all of them for proxies. */
const PASSED = ['HOME', 'USER', 'SSH_AUTH_SOCK', 'HTTPS_PROXY', 'https_proxy', 'http_proxy', 'ALL_PROXY', 'all_proxy']
const NO_PROXY = ['NO_PROXY', 'no_proxy']

export function createRemote(git: GitCommand): Remote {
  /** Settings and credentials come from a file, since a command line can be read by everybody on the host. */
  const ask = async (doing: string, { config }: RemoteBranch, argv: string[], options: GitRunOptions) => {
    const passed = [...PASSED, ...NO_PROXY].flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
    )
    const env = { ...Object.fromEntries(passed), GIT_CONFIG_GLOBAL: config }
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
  }
}

function heard(doing: string, result: GitRunResult): GitRunResult {
  if (result.exitCode === 0) return result
  const why = result.stderr.trim().split('\n').slice(-3).join('; ') || `git ended with ${result.exitCode}`
  const failed = new TrueupError('REMOTE_UNREACHABLE', { doing, why })
  throw tellsOfNoRoom(failed) ? new TrueupError('NO_ROOM', failed.text) : failed
}
