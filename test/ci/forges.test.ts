import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PipelineForge, pipelineForge } from '../../src/forges/pipeline.ts'
import { startGiteaDouble } from '../forges/gitea/double.ts'
import { startGitHubDouble } from '../forges/github/double.ts'
import { startGitLabDouble } from '../forges/gitlab/double.ts'
import type { Place } from '../forges/place.ts'
import type { ConnectedWorld } from '../forges/subjects/connected.ts'
import { giteaWorld, placeOf } from '../forges/subjects/gitea.ts'
import { githubWorld, placeOfGitHub } from '../forges/subjects/github.ts'
import { gitlabWorld, placeOfGitLab } from '../forges/subjects/gitlab.ts'

/** What one forge's double is and how people use it. */
interface There {
  place: Place
  open(): Promise<ConnectedWorld>
  close(): Promise<void>
}

const FORGES: { readonly [name in 'gitea' | 'github' | 'gitlab']: () => Promise<There> } = {
  async gitea() {
    const double = await startGiteaDouble()
    const place = placeOf(double)
    return { place, open: () => giteaWorld(place), close: () => double.close() }
  },
  async github() {
    const double = await startGitHubDouble()
    const place = placeOfGitHub(double)
    return { place, open: () => githubWorld(place), close: () => double.close() }
  },
  async gitlab() {
    const double = await startGitLabDouble()
    const place = placeOfGitLab(double)
    return { place, open: () => gitlabWorld(place), close: () => double.close() }
  },
}

/** What pipelines without a server ask of a forge, on each of them. */
describe.each(Object.entries(FORGES))('a pipeline on %s', (name, start) => {
  let there: There
  let world: ConnectedWorld
  let forge: PipelineForge
  beforeAll(async () => {
    there = await start()
    world = await there.open()
    const { address, path, accounts } = there.place
    forge = pipelineForge({ forge: name as keyof typeof FORGES, address, path, token: accounts.bot.token })
  }, 60_000)
  afterAll(async () => {
    await world?.stop()
    await there?.close()
  })

  it('writes one comment, reads it again, and knows whose merge a commit is', async () => {
    await world.push('main', { 'README.md': 'shop\n' })
    const head = await world.push('change', { file: 'new\n' })
    const number = await world.as('author').open({ sourceBranch: 'change', title: 'Change' })
    expect(await forge.change(number)).toMatchObject({ number, headOid: head, state: 'open', isFork: false })
    expect(await forge.change(number + 1_000)).toBeNull()
    expect(await forge.marked(number, 'ci')).toEqual([])

    await forge.write(number, 'ci', 'first\n<!-- kept: a.b-c_d -->')
    await forge.write(number, 'ci', 'second\n<!-- kept: a.b-c_d -->')
    const bodies = await forge.marked(number, 'ci')
    expect(bodies).toHaveLength(1)
    expect(bodies[0]).toMatch(/^<!-- trueup:ci -->\nsecond\n<!-- kept: a\.b-c_d -->/)
    // Whoever begins a comment like ours takes ours away from nobody.
    await world.as('reviewer').comment(number, '<!-- trueup:ci -->\nmine')
    await forge.write(number, 'ci', 'third')
    expect((await forge.marked(number, 'ci')).some((body) => body.includes('third'))).toBe(true)

    expect(await forge.mergedAs(head)).toBeNull()
    await world.mergeThere('reviewer', number)
    const tip = await world.tip('main')
    expect(await forge.mergedAs(tip!)).toMatchObject({ number, headOid: head, state: 'merged', mergeOid: tip })
  }, 60_000)
})
