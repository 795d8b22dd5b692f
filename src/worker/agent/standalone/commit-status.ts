import { setTimeout as sleep } from 'node:timers/promises'
import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import { pause } from '../../../lib/retry.ts'
import type { Logger } from '../../logging.ts'
import type { StandaloneSettings, StatusConfig } from './config.ts'
import type { Desired } from './desired.ts'
import type { Ledger } from './ledger.ts'
import { overviewOf } from './overview.ts'

/** How a commit stands, as forges show it. */
export interface CommitStatus {
  commit: string
  state: 'pending' | 'success' | 'failure'
  description: string
}

interface Request {
  path: string
  headers: { [name: string]: string }
  body: object
}

/** Longer ones are refused by GitHub. */
const DESCRIPTION_LENGTH = 140
const TIMEOUT_MS = 30_000
/** A few changes make one status. */
const SETTLE_MS = 1_000
const PAUSES = { first: 5_000, longest: 600_000 }

type Api = (at: { repository: string; token: string; context: string }, status: CommitStatus) => Request

/** GitHub's shape, which Gitea has taken: https://docs.github.com/rest/commits/statuses */
const github: Api = ({ repository, token, context }, { commit, state, description }) => ({
  path: `/repos/${repository.split('/').map(encodeURIComponent).join('/')}/statuses/${commit}`,
  headers: { authorization: `token ${token}` },
  body: { state, context, description },
})

const APIS: { [api in StatusConfig['api']]: Api } = {
  github: (at, status) => {
    const { path, body } = github(at, status)
    return { path, body, headers: { authorization: `Bearer ${at.token}`, accept: 'application/vnd.github+json' } }
  },
  /** https://docs.gitea.com/api (repoCreateStatus) */
  gitea: github,
  /** https://docs.gitlab.com/api/commits/#set-commit-pipeline-status */
  gitlab: ({ repository, token, context }, { commit, state, description }) => ({
    path: `/projects/${encodeURIComponent(repository)}/statuses/${commit}`,
    headers: { 'private-token': token },
    body: { state: state === 'failure' ? 'failed' : state, name: context, description },
  }),
}

/** Says to a forge how a commit stands. Throws what the forge answered. */
export async function postStatus(
  { api, url, repository, token }: NonNullable<StandaloneSettings['status']>,
  context: string,
  status: CommitStatus,
): Promise<void> {
  const { path, headers, body } = APIS[api]({ repository, token, context }, status)
  const doing = `telling ${url} how commit ${status.commit} stands`
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'trueup-agent' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((thrown: Error) => {
    // What `fetch` throws says nothing; what it was caused by does.
    const why = thrown.cause instanceof Error ? thrown.cause.message : thrown.message
    throw new TrueupError('UNAVAILABLE', { doing, why, cause: thrown })
  })
  const text = (await answer.text()).slice(0, 300)
  // GitLab refuses a state that a commit has already.
  if (answer.ok || (api === 'gitlab' && answer.status === 400 && text.includes('Cannot transition'))) return
  throw new TrueupError(answer.status >= 500 || answer.status === 429 ? 'UNAVAILABLE' : 'FORBIDDEN', {
    doing,
    why: `it answered ${answer.status}: ${text}`,
    next: 'Check `status` of the configuration and the rights of its token.',
  })
}

/** Keeps the forge told of the commit that was taken, and of one that was refused. What was not told is told later. */
export function reportCommits({
  settings: { status: target, agent },
  ledger,
  desired,
  log,
}: {
  settings: StandaloneSettings
  ledger: Ledger
  desired: () => Desired | undefined
  log: Logger
}): { close(): Promise<void> } {
  const over = new AbortController()
  if (!target) return { close: async () => {} }
  const context = `trueup/${agent.options.name}`
  const told = new Map<string, string>()
  let changed = Promise.withResolvers<void>()
  ledger.onChange(() => changed.resolve())
  changed.resolve()

  async function tellAll(): Promise<void> {
    for (const status of statuses(ledger, desired())) {
      const words = `${status.state} ${status.description}`
      if (told.get(status.commit) === words) continue
      await postStatus(target!, context, status)
      told.set(status.commit, words)
      if (told.size > 100) told.delete(told.keys().next().value!)
    }
  }

  const running = (async () => {
    for (let failures = 0; !over.signal.aborted; ) {
      if (failures === 0) await Promise.race([changed.promise, aborted(over.signal)])
      changed = Promise.withResolvers<void>()
      await sleep(SETTLE_MS, undefined, { signal: over.signal }).catch(() => {})
      if (over.signal.aborted) return
      try {
        await tellAll()
        failures = 0
      } catch (thrown) {
        failures++
        log.warn({ why: asTrueupError(thrown, 'telling the forge').message }, 'commit status not told')
        await pause(failures, PAUSES, over.signal)
      }
    }
  })()
  return {
    async close() {
      over.abort()
      await running
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

function statuses(ledger: Ledger, desired: Desired | undefined): CommitStatus[] {
  const { refused } = ledger.branch
  const of = (commit: string, state: CommitStatus['state'], words: string): CommitStatus => ({
    commit,
    state,
    description: words.length > DESCRIPTION_LENGTH ? `${words.slice(0, DESCRIPTION_LENGTH - 1)}…` : words,
  })
  const list = refused ? [of(refused.commit, 'failure', `refused: ${refused.code}, ${refused.why}`)] : []
  if (!desired) return list
  const stacks = [...ledger.stacks()]
    .filter(([key]) => desired.stacks.some(({ definition }) => definition.key === key))
    .map(([key, record]) => ({ key, ...record }))
  const overview = overviewOf(stacks)
  const missing = desired.stacks.length - stacks.length
  const bad = stacks.filter(({ state }) => state === 'failed' || state === 'held')
  const open = missing + overview.pending + overview.waiting
  const [first] = bad
  const [state, words] = first
    ? (['failure', `${first.key} ${first.state}: ${first.why}`] as const)
    : open > 0
      ? (['pending', `${open} of ${desired.stacks.length} stacks to go`] as const)
      : (['success', `${desired.stacks.length} stacks as signed`] as const)
  return [...list, of(desired.commit, state, words)]
}
