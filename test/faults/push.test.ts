import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect } from '../../src/cli/output.ts'
import { MrDetail, MrSummary } from '../../src/server/schemas/merge-requests.ts'
import { killGroupOf, processesWith } from './processes.ts'
import { until } from './wait.ts'
import { createWorld, REPOSITORY, type World } from './world.ts'

// Who pushed is known from before a ref moves, whatever becomes of the server meanwhile.
let world: World
beforeAll(async () => {
  world = await createWorld({ lease: '15s', keep: false, terraform: null })
})
afterAll(() => world.close())

const FILES = {
  'trueup.yaml': `version: 1
environments:
  production: { tier: production, approvals: { required: 1 } }
stacks:
  - { path: a, driver: command, environments: [production], with: { plan: "true", apply: "true" } }
`,
  'a/x': '1',
}

/** Lets git's next call of a hook wait until it is let go; the server writes its own hook again when it starts. */
async function holdHook(name: string): Promise<{ reached: () => boolean; letGo: () => Promise<void> }> {
  const hook = join(world.options.dataDir, 'repositories', '.hooks', name)
  const [gate, mark] = [join(world.directory, `${name}-gate`), join(world.directory, `${name}-mark`)]
  await mkdir(gate)
  // Of an earlier test.
  await rm(mark, { force: true })
  await rename(hook, `${hook}.real`)
  const script = `#!/bin/sh\n: > '${mark}'\nwhile [ -d '${gate}' ]; do sleep 0.05; done\nexec '${hook}.real' "$@"\n`
  await writeFile(hook, script, { mode: 0o755 })
  return { reached: () => existsSync(mark), letGo: () => rm(gate, { recursive: true }) }
}

test.each(['pre-receive', 'post-receive'])(
  'a server that is killed in %s of a push knows afterwards who has pushed what is there',
  async (hook) => {
    const branch = `killed-in-${hook}`
    await world.copy.git('switch', '--quiet', '--create', branch, 'origin/main')
    // By ada, in the name of a third person.
    await world.copy.commit(branch, { ...FILES, [branch]: 'x' })
    await world.copy.git('commit', '--amend', '--no-edit', '--author', 'Carol <carol@example.test>')
    const held = await holdHook(hook)
    const push = world.copy.git('push', '--quiet', 'origin', branch).then(
      () => true,
      () => false,
    )
    await until(`git calls ${hook}`, held.reached)
    await world.server.kill()
    await held.letGo()
    await push
    await world.restart()

    const open = () =>
      world.bob.send('POST', `${REPOSITORY}/merge-requests`, MrDetail, { sourceBranch: branch, title: branch })
    const opened = await open().catch((error: { code?: string }) => error.code)
    // Before the refs moved it may have come to nothing, and the push is made again; afterwards it has not.
    if (hook === 'post-receive') expect(opened).toMatchObject({ sourceBranch: branch })
    if (opened === 'NOT_FOUND') await world.copy.git('push', '--quiet', 'origin', branch)
    const { number } = typeof opened === 'object' ? opened : await open()
    await until(`the plans of !${number}`, async () => (await world.mr(number)).planned, 360_000)
    const { makers, head, digests } = await world.mr(number)
    expect(makers).toContainEqual({ user: 'ada', how: 'pushed', commits: [] })
    const path = `${REPOSITORY}/merge-requests/${number}`
    const voted = await world.ada.send('POST', `${path}/reviews`, MrDetail, { verdict: 'approve', head, digests })
    expect(voted.mergeable).toBe(false)
    expect(voted.requirements).toContainEqual(
      expect.objectContaining({
        name: 'approvals',
        satisfied: false,
        message: expect.stringContaining('ada has commits'),
      }),
    )
    await world.bob.send('POST', `${path}/close`, MrDetail, {})
  },
)

test('a push whose processes all end between the ref and post-receive gets the merge request that it asked for', async () => {
  const branch = 'cut-before-its-notice'
  await world.copy.git('switch', '--quiet', '--create', branch, 'origin/main')
  await world.copy.commit(branch, { ...FILES, [branch]: 'x' })
  const held = await holdHook('post-receive')
  const options = ['--push-option', 'mr', '--push-option', 'mr.title=Cut off']
  const push = world.copy.git('push', '--quiet', ...options, 'origin', branch).catch(() => undefined)
  await until('git calls post-receive', held.reached)
  // Stopped first, so that none of them sees another one end.
  const hold = { TRUEUP_TEST_HOLD: world.options.hold }
  const git = hooksUnderWay(join(world.options.dataDir, 'repositories', '.hooks', 'post-receive'))
  const all = [world.server.pid, ...processesWith(hold).map(({ pid }) => pid)]
  for (const pid of all) process.kill(pid, 'SIGSTOP')
  for (const pid of git) killGroupOf(pid)
  for (const pid of all) process.kill(pid, 'SIGKILL')
  await push
  await world.server.exited
  await held.letGo()
  await world.restart()

  const requests = async () =>
    (await collect(world.ada.all(`${REPOSITORY}/merge-requests`, MrSummary))).filter((mr) => mr.sourceBranch === branch)
  await until('the merge request is there', async () => (await requests()).length > 0)
  expect(await requests()).toMatchObject([{ title: 'Cut off', author: 'ada' }])
  expect(readdirSync(join(world.options.dataDir, 'pushes'))).toEqual([])
})

/** Pids of the shells that run a hook. */
const hooksUnderWay = (hook: string): number[] =>
  readdirSync('/proc').flatMap((name) => {
    try {
      const argv = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0') : []
      return argv.includes(hook) ? [Number(name)] : []
    } catch {
      // It has ended between the two looks.
      return []
    }
  })
