import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectRepository } from '../../src/engine/connections/connect.ts'
import { lookAtForge } from '../../src/engine/connections/looks.ts'
import { makersOf } from '../../src/engine/merge-requests/makers.ts'
import { type EngineHarness, startHarness } from '../../src/engine/testing/harness.ts'
import { listMergeRequests } from '../../src/store/changes/merge-requests.ts'
import { connectionOf } from '../../src/store/forges/connections.ts'
import { findForgePerson } from '../../src/store/forges/people.ts'
import { type GitHubDouble, startGitHubDouble } from './github/double.ts'
import { askApi } from './place.ts'
import { placeOfGitHub } from './subjects/github.ts'

const BOT = 'trueup-app[bot]'
const pair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    // As GitHub hands them out.
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
const { privateKey, publicKey } = pair()

let double: GitHubDouble
let harness: EngineHarness
beforeAll(async () => {
  double = await startGitHubDouble()
  double.state.users.push({ id: 77, login: BOT, token: 'nobody has this' })
  double.state.permissions.set(BOT, 'write')
  const permissions = { contents: 'write', pull_requests: 'write', statuses: 'write', metadata: 'read' }
  double.state.app = { id: 4321, slug: 'trueup-app', publicKey, permissions, tokens: [] }
  const { git } = double
  const tree = await git.git('hash-object', '-t', 'tree', '-w', '/dev/null')
  await git.move('main', await git.git('commit-tree', tree, '-m', 'Begin'))
  harness = await startHarness({ still: true })
}, 120_000)
afterAll(async () => {
  await harness?.stop()
  await double?.close()
})

const connect = (token: string) =>
  connectRepository(harness.engine.parts, {
    url: `${double.address}/owner/shop`,
    token,
    name: 'connected',
    actorId: harness.users.author.id,
  })
const tokens = () => double.state.app!.tokens
const connection = async () =>
  (await harness.store.db.selectFrom('connections').selectAll().executeTakeFirst()) ?? { repositoryId: '' }

describe('a GitHub App', { timeout: 120_000 }, () => {
  it('is refused with what is wrong', async () => {
    const other = pair().privateKey
    await expect(connect(`4321\n${other}`)).rejects.toMatchObject({ code: 'FORGE_TOKEN' })
    await expect(connect(`abc\n${privateKey}`)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      text: { why: expect.stringContaining('no number') },
    })
    const broken = connect('4321\n-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----')
    await expect(broken).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      text: { why: expect.not.stringContaining('AAAA') },
    })
    const { permissions } = double.state.app!
    permissions['statuses'] = 'read'
    await expect(connect(`4321\n${privateKey}`)).rejects.toMatchObject({
      code: 'FORGE_PERMISSION',
      text: { why: expect.stringMatching(/may not: set commit statuses \(statuses: write\)$/) },
    })
    permissions['statuses'] = 'write'
    expect(await connection()).toEqual({ repositoryId: '' })
  })

  it('is found out, connected, and acts with tokens that it makes anew in time', async () => {
    const { id } = await connect(`4321\n${privateKey}`)
    expect(await connectionOf(harness.store.db, id)).toMatchObject({
      forge: 'github',
      botName: BOT,
      botId: '77',
      problem: null,
      hookProblem: expect.stringContaining('no administrator'),
      requestsLeft: 4200,
      requestsLimit: 5000,
    })
    const made = tokens().length
    await lookAtForge(harness.engine.parts, id)
    expect(tokens().length).toBe(made)
    // As after an hour: GitHub takes the old one no more.
    tokens().at(-1)!.expires_at = 0
    harness.clock.advance(60 * 60_000)
    double.asked.length = 0
    await lookAtForge(harness.engine.parts, id)
    expect((await connectionOf(harness.store.db, id))?.problem).toBeNull()
    expect(tokens().length).toBe(made + 1)
  })

  it('knows co-authors by GitHub’s own addresses, and makers of more commits than a list of GitHub has', async () => {
    const { repositoryId } = await connection()
    const { git } = double
    const tree = await git.git('hash-object', '-t', 'tree', '-w', '/dev/null')
    const after = (parent: string, message: string) => git.git('commit-tree', tree, '-p', parent, '-m', message)
    const second = double.state.users.find(({ login }) => login === 'second')!
    const line = `Co-authored-by: Second <${second.id}+second@users.noreply.github.com>`
    let tip = await after((await git.tip('main'))!, `x\n\n${line}`)
    for (let count = 0; count < 120; count++) tip = await after(tip, 'x')
    await git.move('long', tip)
    placeOfGitHub(double).near!.pushed('long', tip)
    const { author } = placeOfGitHub(double).accounts
    const body = { head: 'long', base: 'main', title: 'Long' }
    const as = { authorization: `Bearer ${author.token}` }
    await askApi(`${double.address}/api/v3/repos/owner/shop/pulls`, as, { method: 'POST', body, forbidden: 422 })
    await lookAtForge(harness.engine.parts, repositoryId)
    const { items } = await listMergeRequests(harness.store.db, { repositoryId })
    const { pusherIds } = await makersOf(harness.at(repositoryId).engine.parts, items[0]!)
    const person = await findForgePerson(harness.store.db, double.address, String(second.id))
    expect(pusherIds).toContain(person?.userId)
  })
})
