import { systemClock } from '../lib/clock.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { giteaAdapter } from './gitea/index.ts'
import { githubAdapter } from './github/index.ts'
import { gitlabAdapter } from './gitlab/index.ts'
import type { ForgeName } from './forge.ts'
import type { RemoteChange, RemoteComment } from './remote/api.ts'

/** A repository on a forge, as a pipeline is told of it. */
export interface PipelinePlace {
  forge: Exclude<ForgeName, 'builtin'>
  /** `https://gitlab.example.org` */
  address: string
  /** `owner/name` */
  path: string
  token: string
}

/** A merge request, as far as a pipeline has to know it. */
export type PipelineChange = Pick<
  RemoteChange,
  'number' | 'title' | 'draft' | 'state' | 'sourceBranch' | 'targetBranch' | 'headOid' | 'isFork' | 'mergeOid'
> & { author: string }

/**
 * What a pipeline without a server asks of the forge and says there. It keeps nothing, and whoever has written a comment is
 * not asked: a pipeline believes signatures only. Errors: FORGE_*.
 */
export interface PipelineForge {
  change(number: number): Promise<PipelineChange | null>
  /** The merge request that was merged as this commit; null where there is none. */
  mergedAs(commitOid: string): Promise<PipelineChange | null>
  /** Bodies of the comments that bear this marker, oldest first. */
  marked(number: number, marker: string): Promise<string[]>
  /** Writes the comment with this marker, in place of an earlier one where that may be edited. */
  write(number: number, marker: string, body: string): Promise<void>
}

const ADAPTERS = { github: githubAdapter, gitlab: gitlabAdapter, gitea: giteaAdapter }

/** Opens the forge of a pipeline; asks nothing yet. */
export function pipelineForge({ forge, address, path, token }: PipelinePlace): PipelineForge {
  const api = ADAPTERS[forge].api({ address, token, clock: systemClock }, { path })
  const first = (marker: string): string => `<!-- trueup:${marker} -->`
  const marked = async (number: number, marker: string): Promise<RemoteComment[]> =>
    (await api.comments(number)).filter(({ body }) => body.startsWith(first(marker)))
  return {
    async change(number) {
      const found = await api.change(number)
      return found && changeOf(found)
    },
    async mergedAs(commitOid) {
      const found = await api.changeMergedAs(commitOid)
      return found && changeOf(found)
    },
    marked: async (number, marker) => (await marked(number, marker)).map(({ body }) => body),
    async write(number, marker, body) {
      const text = `${first(marker)}\n${body}`
      // Anybody may write a comment that begins like ours; those of others may not be edited.
      for (const { id } of await marked(number, marker)) {
        const edited = await api.editComment(number, id, text).catch((error: unknown) => {
          if (error instanceof TrueupError && OF_OTHERS.has(error.code)) return null
          throw error
        })
        if (edited) return
      }
      await api.addComment(number, text)
    },
  }
}

const OF_OTHERS: ReadonlySet<string> = new Set(['FORGE_PERMISSION', 'FORGE_REFUSED'])

function changeOf(its: RemoteChange): PipelineChange {
  const { number, title, draft, state, sourceBranch, targetBranch, headOid, isFork, mergeOid } = its
  const author = its.author.name
  return { number, title, draft, state, sourceBranch, targetBranch, headOid, isFork, mergeOid, author }
}
