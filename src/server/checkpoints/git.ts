import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProcess } from '../../lib/process/run.ts'

const TIMEOUT_MS = 120_000
const AUTHOR = { name: 'trueup audit', email: 'audit@trueup.invalid' }
const ZERO = '0'.repeat(40)

export interface BranchPlace {
  url: string
  ref: string
}

/** A commit onto the branch, with the lines added to the file of their month. Never forced: a branch that was rewritten refuses it only if it is protected there. */
export async function pushLines(place: BranchPlace, lines: readonly { at: number; line: string }[]): Promise<void> {
  await withRepository(async (git) => {
    const tip = await fetchTip(git, place)
    if (tip !== null) await git(['read-tree', tip])
    const months = Map.groupBy(lines, ({ at }) => `${new Date(at).toISOString().slice(0, 7)}.jsonl`)
    for (const [name, added] of months) {
      const before = tip === null ? '' : await git(['cat-file', 'blob', `${tip}:${name}`]).catch(() => '')
      const content = `${before}${added.map(({ line }) => `${line}\n`).join('')}`
      const blob = (await git(['hash-object', '-w', '--stdin'], content)).trim()
      await git(['update-index', '--add', '--cacheinfo', `100644,${blob},${name}`])
    }
    const tree = (await git(['write-tree'])).trim()
    const parent = tip === null ? [] : ['-p', tip]
    const commit = (await git(['commit-tree', tree, ...parent, '-m', 'Checkpoints of the audit'])).trim()
    // By compare-and-swap: two servers at one branch are two histories, and one of them is told so.
    await git(['push', '-q', `--force-with-lease=${place.ref}:${tip ?? ''}`, '--', place.url, `${commit}:${place.ref}`])
  })
}

/** All lines of the branch. */
export async function readLines(place: BranchPlace): Promise<string> {
  let text = ''
  await withRepository(async (git) => {
    const tip = await fetchTip(git, place)
    if (tip === null) return
    const names = (await git(['ls-tree', '--name-only', tip])).split('\n').filter((name) => name.endsWith('.jsonl'))
    for (const name of names) text += await git(['cat-file', 'blob', `${tip}:${name}`])
  })
  return text
}

type Git = (argv: readonly string[], input?: string) => Promise<string>

async function fetchTip(git: Git, { url, ref }: BranchPlace): Promise<string | null> {
  const [tip = ZERO] = (await git(['ls-remote', '--', url, ref])).split(/\s/)
  if (!/^[0-9a-f]{40}$/.test(tip) || tip === ZERO) return null
  await git(['fetch', '-q', '--no-tags', '--depth', '1', '--', url, ref])
  return tip
}

async function withRepository(work: (git: Git) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-checkpoints-'))
  const { PATH = '', HOME = directory, SSH_AUTH_SOCK } = process.env
  const env = {
    PATH,
    HOME,
    ...(SSH_AUTH_SOCK !== undefined && { SSH_AUTH_SOCK }),
    GIT_DIR: directory,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
  }
  const git: Git = async (argv, input) => {
    const result = await runProcess({ argv: ['git', ...argv], cwd: directory, env, input, timeoutMs: TIMEOUT_MS })
    if (result.exitCode === 0) return result.stdout
    throw new Error(result.stderr.trim().split('\n').at(-1) || `git ${argv[0]} ended with ${result.exitCode}`)
  }
  try {
    await git(['init', '-q', '--bare', directory])
    await work(git)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
