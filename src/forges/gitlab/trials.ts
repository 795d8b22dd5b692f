import { z } from 'zod'
import type { RemoteApi, RemoteTrial } from '../remote/api.ts'
import { type GitLabClient, PAGE } from './client.ts'

const Pipeline = z.object({ id: z.number().int(), sha: z.string(), ref: z.string().nullish() }).nullish()
const Car = z.object({ merge_request: z.object({ iid: z.number().int() }), pipeline: Pipeline })
const Opened = z.object({ iid: z.number().int() })
const WithPipeline = z.object({ head_pipeline: Pipeline })

/** Commits of merge trains, and of pipelines for merged results: GitLab makes them, and its pipelines hold the statuses. */
export function trialsOf(client: GitLabClient): Required<Pick<RemoteApi, 'trials'>> {
  return {
    async trials() {
      const { merge_trains_enabled: trains, merge_pipelines_enabled: results } = await client.project()
      return [...(trains ? await queued() : []), ...(results ? await tried() : [])]
    },
  }

  async function queued(): Promise<RemoteTrial[]> {
    const path = `${client.at}/merge_trains?scope=active&sort=asc&per_page=${PAGE}`
    const cars = await client.pages(path, Car, { doing: 'reading the merge trains' })
    return cars.flatMap(({ merge_request: { iid }, pipeline }) => trial(iid, 'queued', pipeline))
  }

  async function tried(): Promise<RemoteTrial[]> {
    const doing = 'reading the pipelines for merged results'
    const all = await client.pages(`${client.at}/merge_requests?state=opened&scope=all&per_page=${PAGE}`, Opened, {
      doing,
    })
    const found: RemoteTrial[] = []
    for (const { iid } of all) {
      const { head_pipeline } = await client.ask(`${client.at}/merge_requests/${iid}`, WithPipeline, { doing })
      // Of the head itself: the status stands there already.
      if (head_pipeline?.ref?.endsWith('/merge')) found.push(...trial(iid, 'tried', head_pipeline))
    }
    return found
  }
}

const trial = (number: number, kind: RemoteTrial['kind'], pipeline: z.infer<typeof Pipeline>): RemoteTrial[] =>
  pipeline ? [{ number, kind, headOid: pipeline.sha, pipeline: String(pipeline.id) }] : []
