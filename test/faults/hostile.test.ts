import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { Commit, FileDiff, MrSummary } from '../../src/server/schemas/merge-requests.ts'
import { RunDetail } from '../../src/server/schemas/plans.ts'
import { Repository } from '../../src/server/schemas/repositories.ts'
import type { Sources } from './stacks.ts'
import { until } from './wait.ts'
import { createWorld, REPOSITORY, type World } from './world.ts'

// What a repository may hold to hurt: every case ends in a clear word at the right place, and the server lives on.
let world: World
beforeAll(async () => {
  world = await createWorld({ lease: '15s', keep: false, terraform: null })
})
afterAll(() => world.close())

const head = 'version: 1\nenvironments:\n  production: { tier: production, approvals: { required: 1 } }\n'
const stack = (name: string, more = ''): string =>
  `  - { path: ${name}, name: ${name}, driver: command, environments: [production], with: { plan: "true", apply: "true" }${more} }\n`

const Commits = z.object({ items: z.array(Commit) })
const branches = new Map<string, number>()
async function mrOf(id: string, files: Sources) {
  const mr = await world.propose(id, files)
  branches.set(id, mr.number)
  return mr
}
const problemsOf = async (id: string, files: Sources): Promise<string> => {
  const { problems, mergeable } = await mrOf(id, files)
  expect(mergeable).toBe(false)
  return problems.map(({ code, doing, why, next }) => `${code}: ${doing}: ${why}: ${next}`).join('\n')
}
const alive = async (): Promise<void> => {
  expect((await fetch(`${world.server.url}/readyz`)).status).toBe(200)
}

test('a cycle of needs is named with its path', async () => {
  const files = {
    'trueup.yaml': `${head}stacks:\n${stack('a', ', needs: [b]')}${stack('b', ', needs: [a]')}`,
    'a/x': '1',
    'b/x': '1',
  }
  expect(await problemsOf('cycle', files)).toMatch(/a.*b.*a|b.*a.*b/s)
})

test('an unknown key is refused with a suggestion', async () => {
  const text = `${head.replace('approvals', 'aprovals')}stacks: []\n`
  expect(await problemsOf('unknown-key', { 'trueup.yaml': text })).toMatch(/aprovals[\s\S]*approvals/)
})

test('a YAML bomb costs nothing', async () => {
  const levels = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 9; level++) {
    const [from, to] = ['abcdefghi'.charAt(level - 1), 'abcdefghi'.charAt(level)]
    levels.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(', ')}]`)
  }
  const began = performance.now()
  expect(await problemsOf('bomb', { 'trueup.yaml': `${levels.join('\n')}\n` })).toMatch(/trueup\.yaml/)
  expect(performance.now() - began).toBeLessThan(20_000)
})

test('a path that leaves the repository is refused', async () => {
  const files = { 'trueup.yaml': `${head}stacks:\n${stack('x').replace('path: x', 'path: ../../etc')}` }
  expect(await problemsOf('dots', files)).toMatch(/\.\.\/\.\.\/etc/)
})

test('a trueup.yaml of 10 MB is refused by its size', async () => {
  const text = `${head}stacks: []\n${'# filler that is of no use to anybody\n'.repeat(280_000)}`
  expect(await problemsOf('ten-megabytes', { 'trueup.yaml': text })).toMatch(/TOO_LARGE|bytes|MiB|large/i)
})

test('a symbolic link out of the workspace is not followed', async () => {
  const { copy } = world
  await copy.git('fetch', '--quiet', 'origin')
  await copy.git('switch', '--quiet', '--create', 'link', 'origin/main')
  await mkdir(join(copy.directory, 'links'), { recursive: true })
  symlinkSync('/etc', join(copy.directory, 'links', 'etc'))
  const plan = 'cat etc/passwd && exit 2'
  await copy.commit('link', {
    'trueup.yaml': `${head}stacks:\n  - { path: links, name: links, driver: command, environments: [production], with: { plan: "${plan}", apply: "true" } }\n`,
  })
  await copy.git('push', '--quiet', '--push-option', 'mr', 'origin', 'link')
  const number = await numberOf('link')
  await until('the link is planned', async () => (await world.mr(number)).planned)
  const mr = await world.mr(number)
  const [planned] = mr.stacks
  expect(JSON.stringify(mr), 'a file of the host in a plan').not.toContain('root:x:0:0')
  expect(`${planned?.state} ${planned?.note} ${JSON.stringify(mr.problems)}`).toMatch(/failed|PATH_OUTSIDE|link/)
})

test('an MR does not loosen the gates that it is judged by', async () => {
  const strict = { 'trueup.yaml': `${head}stacks:\n${stack('gated')}`, 'gated/x': '1' }
  const first = await mrOf('gates', strict)
  await world.approve(first.number)
  await world.merge(first.number)
  const loose = {
    'trueup.yaml': `${head.replace('required: 1', 'required: 0')}stacks:\n${stack('gated')}`,
    'gated/x': '2',
  }
  const mr = await mrOf('loosen', loose)
  expect(mr.mergeable).toBe(false)
  expect(mr.requirements.some(({ satisfied, blocking }) => blocking && !satisfied)).toBe(true)
})

test('binary files, names that are not UTF-8 and a huge diff are shown as what they are', async () => {
  const { copy } = world
  await copy.git('fetch', '--quiet', 'origin')
  await copy.git('switch', '--quiet', '--create', 'odd', 'origin/main')
  writeFileSync(
    Buffer.concat([Buffer.from(`${copy.directory}/caf`), Buffer.from([0xe9]), Buffer.from('.txt')]),
    'latin\n',
  )
  writeFileSync(join(copy.directory, 'image.bin'), Buffer.from([0, 1, 2, 3, 0, 255]))
  writeFileSync(
    join(copy.directory, 'huge.txt'),
    'a line of a very long file, not at all interesting\n'.repeat(500_000),
  )
  const many: Sources = {}
  for (let n = 0; n < 5_000; n++) many[`many/${n}.txt`] = `${n}\n`
  await copy.commit('odd', many)
  await copy.git('push', '--quiet', '--push-option', 'mr', 'origin', 'odd')
  const number = await numberOf('odd')
  await until('the odd files are planned', async () => (await world.mr(number)).planned)
  const answer = await fetch(`${world.server.url}${REPOSITORY}/merge-requests/${number}/diff`, {
    headers: { authorization: `Bearer ${world.ada.connection.token}` },
  })
  expect(answer.status).toBe(200)
  const text = await answer.text()
  expect(text.length).toBeLessThan(40 * 1024 * 1024)
  const { items } = z.object({ items: z.array(FileDiff) }).parse(JSON.parse(text))
  expect(items).toHaveLength(5_003)
  expect(items.find(({ path }) => path === 'image.bin')).toMatchObject({ binary: true, hunks: '' })
  expect(items.find(({ path }) => path === 'huge.txt')).toMatchObject({ additions: 500_000, truncated: true })
  expect(items.find(({ path }) => /^caf.+\.txt$/.test(path))).toMatchObject({ status: 'added', additions: 1 })
  await alive()
  rmSync(Buffer.concat([Buffer.from(`${copy.directory}/caf`), Buffer.from([0xe9]), Buffer.from('.txt')]), {
    force: true,
  })
  await copy.git('switch', '--quiet', '--detach', '--force', 'origin/main')
})

test('an empty repository has no stacks and no errors', async () => {
  await world.admin.send('POST', '/api/v1/repositories', Repository, { name: 'empty' })
  const page = z.object({ items: z.array(z.unknown()) })
  expect((await world.admin.get('/api/v1/repositories/empty/stacks', page)).items).toEqual([])
  expect((await world.admin.get('/api/v1/repositories/empty/merge-requests', page)).items).toEqual([])
  await alive()
})

test('a force-push gives the MR its new head; a deleted branch is said', async () => {
  const { copy } = world
  const mr = await mrOf('rewritten', { 'notes/a': 'one\n' })
  await copy.git('commit', '--quiet', '--amend', '--message', 'rewritten')
  const head_ = (await copy.git('rev-parse', 'HEAD')).trim()
  await copy.git('push', '--quiet', '--force', 'origin', 'rewritten')
  await until('the MR has the new head', async () => (await world.mr(mr.number)).head === head_)
  const commits = await world.ada.get(`${REPOSITORY}/merge-requests/${mr.number}/commits`, Commits)
  expect(commits.items).toMatchObject([{ oid: head_, author: { name: 'ada' }, message: 'rewritten\n' }])
  await copy.git('switch', '--quiet', '--detach', 'origin/main')
  await copy.git('push', '--quiet', '--delete', 'origin', 'rewritten')
  await until('the MR is closed', async () => (await world.mr(mr.number)).state === 'closed')
  await expect(world.merge(mr.number)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('closed'),
  })
})

test('a force-push to the protected branch and its deletion are refused with a reason', async () => {
  const { copy } = world
  for (const argv of [
    ['push', '--force', 'origin', 'HEAD:main'],
    ['push', '--delete', 'origin', 'main'],
  ]) {
    await copy.git('commit', '--quiet', '--allow-empty', '--message', 'sneak')
    const refusal = await copy.git(...argv).then(
      () => '',
      (error: unknown) => String((error as Error).message),
    )
    expect(refusal).toMatch(/remote: .*main/)
  }
})

test('a submodule in a stack is named, not fetched', async () => {
  const { copy } = world
  await copy.git('fetch', '--quiet', 'origin')
  await copy.git('switch', '--quiet', '--create', 'submodule', 'origin/main')
  const oid = (await copy.git('rev-parse', 'HEAD')).trim()
  await mkdir(join(copy.directory, 'sub'), { recursive: true })
  writeFileSync(join(copy.directory, 'trueup.yaml'), `${head}stacks:\n${stack('sub')}`)
  writeFileSync(
    join(copy.directory, '.gitmodules'),
    '[submodule "m"]\n\tpath = sub/m\n\turl = http://127.0.0.1:1/m.git\n',
  )
  await copy.git('add', '--all')
  await copy.git('update-index', '--add', '--cacheinfo', `160000,${oid},sub/m`)
  await copy.git('commit', '--quiet', '--message', 'submodule')
  await copy.git('push', '--quiet', '--push-option', 'mr', 'origin', 'submodule')
  const number = await numberOf('submodule')
  await until('the submodule is planned', async () => (await world.mr(number)).planned)
  const mr = await world.mr(number)
  const planned = mr.stacks.find((one) => one.stack === 'production/sub')
  const { plan } = await world.ada.get(`/api/v1/runs/${planned?.run}`, RunDetail)
  expect(plan?.findings).toMatchObject([{ severity: 'warning', code: 'submodule_left_out', path: 'sub/m' }])
  await copy.git('switch', '--quiet', '--detach', '--force', 'origin/main')
  await alive()
})

async function numberOf(branch: string): Promise<number> {
  let number = 0
  await until(`the merge request of ${branch}`, async () => {
    for await (const mr of world.ada.all(`${REPOSITORY}/merge-requests`, MrSummary))
      if (mr.sourceBranch === branch) number = mr.number
    return number > 0
  })
  return number
}
