import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configOf } from '../engine/testing/flows.ts'
import { NO_OID, type GitRepository } from '../git/repository.ts'
import type { Person } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

const { server, admin } = useServer()
const MR = '/api/v1/repositories/shop/merge-requests'

describe('a change of a merge request without a clone', () => {
  const people: { [role: string]: Person } = {}
  let git: GitRepository
  beforeAll(async () => {
    for (const role of ['reader', 'contributor', 'outsider']) people[role] = await server.person(role)
    const { id } = await server.repository('shop', {
      [people['reader']!.id]: 'reader',
      [people['contributor']!.id]: 'contributor',
    })
    git = server.engine.parts.git.repository(id)
    const author = { name: 'root', email: 'root@example.test', at: 0 }
    const text = (content: string) => ({ path: 'a/value', content: Buffer.from(content) })
    const files = [{ path: 'trueup.yaml', content: Buffer.from(configOf({ a: {} })) }, text('1\n')]
    const main = await git.commitFiles({ parent: null, message: 'main\n', author, files })
    await git.updateRef('refs/heads/main', main, NO_OID)
    const binary = { path: 'a/picture', content: Buffer.from([0x89, 0, 0xff]) }
    const two = await git.commitFiles({ parent: main, message: 'two\n', author, files: [text('2\nzwei\n'), binary] })
    await git.updateRef('refs/heads/two', two, NO_OID)
    await admin.request('POST', MR, { sourceBranch: 'two', title: 'Two' })
  })
  afterAll(async () => await server.engine.idle())
  const tip = async () => (await git.resolve('refs/heads/two'))!
  const edit = (by: Person | undefined, body: object) => by!.request('POST', `${MR}/1/commits`, body)

  it('shows a file to who may read, and says why one cannot be changed here', async () => {
    const read = async (who: string, path: string) => {
      const { status, body } = await people[who]!.request('GET', `${MR}/1/file?path=${encodeURIComponent(path)}`)
      return status === 200 ? body : body.code
    }
    expect(await read('reader', 'a/value')).toEqual({ path: 'a/value', head: await tip(), content: '2\nzwei\n' })
    expect(await read('outsider', 'a/value')).toBe('NOT_FOUND')
    expect(await read('reader', 'a/picture')).toBe('INVALID_REQUEST')
    expect(await read('reader', '../../etc/passwd')).toBe('PATH_OUTSIDE')
    expect(await read('reader', 'a/none')).toBe('NOT_FOUND')
  })

  it('is for those who may push, at the head that they have seen', async () => {
    const body = { head: await tip(), files: [{ path: 'a/value', content: '3\nzwei\n' }] }
    for (const [who, status] of [
      ['reader', 403],
      ['outsider', 404],
      ['contributor', 201],
      ['contributor', 409],
    ] as const)
      expect([who, (await edit(people[who], body)).status]).toEqual([who, status])
    expect(await git.commit(await tip())).toMatchObject({
      message: 'Change a/value\n',
      author: { name: 'contributor', email: 'contributor@example.org' },
    })
  })

  it('takes a file as large as may be, and says of more that it is too much', async () => {
    const largest = '"\n'.repeat(524_288)
    const files = [{ path: 'a/large', content: largest }]
    expect((await edit(admin, { head: await tip(), files })).status).toBe(201)
    const more = [{ path: 'a/large', content: `${largest}x` }]
    expect((await edit(admin, { head: await tip(), files: more })).status).toBe(400)
    for (const head of ['', 'HEAD', 'main']) expect((await edit(admin, { head, files })).status).toBe(400)
  })

  it('shows what a comment suggests, and applies it for who may push', async () => {
    const suggest = { path: 'a/value', line: 2, body: 'In English:\n```suggestion\ntwo\n```' }
    const made = await people['reader']!.request('POST', `${MR}/1/comments`, { ...suggest, head: 'a'.repeat(40) })
    expect([made.status, made.body.code]).toEqual([409, 'MR_MOVED'])
    await server.engine.idle()
    const { head } = (await admin.request('GET', `${MR}/1`)).body
    const { body: comment } = await people['reader']!.request('POST', `${MR}/1/comments`, { ...suggest, head })
    expect(comment.suggestions).toEqual([{ line: 2, before: 'zwei\n', after: 'two\n' }])
    const apply = (who: Person, id = comment.id) => who.request('POST', `${MR}/1/comments/${id}/apply`, {})
    expect((await apply(people['reader']!)).status).toBe(403)
    expect((await apply(people['contributor']!, 'cmt_none')).status).toBe(404)
    const applied = await apply(people['contributor']!)
    expect([applied.status, applied.body.commit]).toEqual([201, await tip()])
    expect(await git.commit(await tip())).toMatchObject({
      message: 'Apply a suggestion to a/value\n\nSuggested-by: reader\n',
    })
    const { items } = (await admin.request('GET', `${MR}/1/comments`)).body
    expect(items.find(({ id }: { id: string }) => id === comment.id)).toMatchObject({ resolvedBy: 'contributor' })
  })
})
