import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { summaryText } from '../../domain/plans/summary.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { MrDetail, MrSummary } from '../../server/schemas/merge-requests.ts'
import { CreatedToken, User } from '../../server/schemas/people.ts'
import { AuditVerdict } from '../../server/schemas/operations.ts'
import { Repository } from '../../server/schemas/repositories.ts'
import { Stack } from '../../server/schemas/stacks.ts'
import { createClient, type Client } from '../client.ts'
import { collect } from '../output.ts'
import { waitFor } from '../wait.ts'
import { type DemoSources, demoSources } from './sources.ts'
import type { Steps } from './steps.ts'
import { createWorkingCopy } from './working-copy.ts'

const REPOSITORY = '/api/v1/repositories/shop'
const PATIENCE_MS = 90_000

export interface DemoWorld {
  url: string
  adminToken: string
  /** Directory that the demo may fill. */
  directory: string
  signal: AbortSignal
}

/** For who goes on by hand: opens merge requests as ada, waits for their plans, merges them when bob has approved. */
export interface DemoHands {
  sources: DemoSources
  openMr: (branch: string, message: string, files: { [path: string]: string }) => Promise<number>
  planned: (number: number) => Promise<MrDetail>
  approveAndMerge: (number: number) => Promise<MrDetail>
  stacksInSync: (doing: string) => Promise<Stack[]>
}

/** The whole loop, as two people would walk it: ada writes, bob approves. */
export async function walkTheLoop(world: DemoWorld, steps: Steps): Promise<DemoHands> {
  const step: Steps['step'] = (name, work, say) => steps.step(name, work, say)
  const { url, directory, signal } = world
  const admin = clientOf(url, world.adminToken)
  const target = join(directory, 'srv', 'web')
  const terraform = await findTerraform()
  const sources = demoSources(target, terraform)
  const wait = <T>(doing: string, ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> =>
    waitFor(ask, done, { doing, timeoutMs: PATIENCE_MS, signal })

  const [ada, bob] = await step(
    'add two people, ada and bob',
    async () => [await addPerson(admin, url, 'ada'), await addPerson(admin, url, 'bob')] as const,
  )
  const repository = await step(
    'create the repository "shop"',
    async () => {
      const made = await admin.send('POST', '/api/v1/repositories', Repository, { name: 'shop' })
      for (const name of ['ada', 'bob'])
        await admin.send('PUT', `${REPOSITORY}/members/${name}`, z.unknown(), { role: 'maintainer' })
      return made
    },
    (made) => made.gitUrl,
  )
  await mkdir(directory, { recursive: true })
  const copy = await createWorkingCopy(join(directory, 'clone'), ada, repository.gitUrl)
  await step('push the first commit with real git', async () => {
    await copy.commit('Begin', sources.first)
    await copy.git('push', '--quiet', 'origin', 'main')
  })
  await step(
    'a push to the protected branch is refused',
    async () => {
      await copy.commit('Sneak in', { 'README.md': '# shop!\n' })
      const refusal = await copy.git('push', 'origin', 'main').then(
        () => null,
        (error: unknown) => (error instanceof TrueupError ? error.text.why : String(error)),
      )
      if (refusal === null)
        throw new TrueupError('INTERNAL', { doing: 'pushing to main', why: 'the server let it through' })
      await copy.git('reset', '--quiet', '--hard', 'origin/main')
      return /remote: +(\S.*)/.exec(refusal)?.[1]?.trim() ?? ''
    },
    (line) => line,
  )

  const openMr = async (branch: string, message: string, files: { [path: string]: string }): Promise<number> => {
    await copy.git('fetch', '--quiet', 'origin')
    await copy.git('switch', '--quiet', '--create', branch, 'origin/main')
    await copy.commit(message, files)
    await copy.git('push', '--quiet', '--push-option', 'mr', 'origin', branch)
    const open = await wait(
      'waiting for the merge request',
      () => collect(ada.client.all(`${REPOSITORY}/merge-requests`, MrSummary)),
      (all) => all.some((mr) => mr.sourceBranch === branch),
    )
    return open.find((mr) => mr.sourceBranch === branch)!.number
  }
  const planned = (number: number): Promise<MrDetail> =>
    wait(
      `waiting for the plans of !${number}`,
      () => ada.client.get(`${REPOSITORY}/merge-requests/${number}`, MrDetail),
      (mr) => mr.planned,
    )
  const say = (mr: MrDetail): string =>
    mr.stacks
      .map(
        (stack) =>
          `${stack.stack}: ${stack.summary ? summaryText({ summary: stack.summary }) : (stack.note ?? stack.state)}`,
      )
      .join('; ')
  const approveAndMerge = async (number: number): Promise<MrDetail> => {
    const seen = await bob.client.get(`${REPOSITORY}/merge-requests/${number}`, MrDetail)
    await bob.client.send('POST', `${REPOSITORY}/merge-requests/${number}/reviews`, MrDetail, {
      verdict: 'approve',
      head: seen.head,
      digests: seen.digests,
    })
    return await ada.client.send('POST', `${REPOSITORY}/merge-requests/${number}/merge`, MrDetail, {})
  }
  const stacksInSync = (doing: string): Promise<Stack[]> =>
    wait(
      doing,
      () => collect(ada.client.all(`${REPOSITORY}/stacks`, Stack)),
      (stacks) =>
        stacks.length > 0 &&
        stacks.every((stack) => stack.state === 'in_sync') &&
        !stacks.some((stack) => failedStack(stack)),
    )
  const content = async (): Promise<string> => await readFile(join(target, 'index.html'), 'utf8').catch(() => '')

  const first = await step(
    `push a branch and open the merge request (${terraform === null ? 'files' : `files and ${terraform}, which depends on it`})`,
    () => openMr('add-web', 'Serve the shop', sources.addStacks),
    (number) => `!${number}`,
  )
  await step('its plans are made', () => planned(first), say)
  await step(
    'merging without an approval is refused',
    async () => {
      const refused = await ada.client.send('POST', `${REPOSITORY}/merge-requests/${first}/merge`, MrDetail, {}).then(
        () => null,
        (error: unknown) => error as TrueupError,
      )
      if (refused?.code !== 'MR_BLOCKED')
        throw refused ?? new TrueupError('INTERNAL', { doing: 'merging', why: 'nobody approved, and it merged' })
      return refused.text.why
    },
    (why) => why,
  )
  await step(
    'bob approves exactly these plans, ada merges',
    () => approveAndMerge(first),
    (mr) => mr.mergeCommit?.slice(0, 10) ?? '',
  )
  await step(
    'what was approved is applied',
    () => stacksInSync('waiting for the deployment'),
    (stacks) => stacks.map((stack) => `${stack.environment}/${stack.name} ${stack.state}`).join(', '),
  )
  const second = await step(
    'a second change',
    () => openMr('raise-limit', 'Raise the limit', sources.change),
    (number) => `!${number}`,
  )
  await step(
    'is planned, approved and merged',
    async () => {
      const mr = await planned(second)
      await approveAndMerge(second)
      return mr
    },
    say,
  )
  await step('and deployed', () =>
    wait('waiting for the second deployment', content, (text) => text.includes('Hello, world')),
  )
  await stacksInSync('waiting for the second deployment')
  await step(
    'somebody edits the host by hand: found and healed',
    async () => {
      const wanted = await content()
      await writeFile(join(target, 'index.html'), 'tampered with\n')
      const at = performance.now()
      await wait('waiting for the heal', content, (text) => text === wanted)
      return Math.round(performance.now() - at)
    },
    (milliseconds) => `back after ${milliseconds} ms`,
  )
  await step(
    'roll back by one command: a revert merge request on the fast lane',
    async () => {
      await stacksInSync('waiting for the heal to be recorded')
      const mr = await ada.client.send('POST', `${REPOSITORY}/rollbacks`, MrDetail, {
        target: { what: 'stack', stack: 'production/web' },
        reason: 'the demo wants to see it',
      })
      await wait('waiting for the rollback', content, (text) => text.includes('<h1>Hello</h1>'))
      return mr.number
    },
    (number) => `!${number}; Git and the host say again what they said before`,
  )
  await step(
    'the audit chain holds',
    async () => {
      const verdict = await admin.send('POST', '/api/v1/audit/verify', AuditVerdict, {})
      if (!verdict.ok)
        throw new TrueupError('DATA_CORRUPT', { doing: 'verifying the audit chain', why: JSON.stringify(verdict) })
      return verdict
    },
    (verdict) => `${verdict.count} events`,
  )
  return { sources, openMr, planned, approveAndMerge, stacksInSync }
}

const failedStack = (stack: Stack): boolean => {
  if (stack.state !== 'failed') return false
  throw new TrueupError('APPLY_PARTIAL', {
    doing: `deploying ${stack.environment}/${stack.name}`,
    why: stack.stateReason ?? 'see its runs',
  })
}

interface Person {
  name: string
  email: string
  token: string
  client: Client
}

const clientOf = (url: string, token: string): Client => createClient({ url, token, source: 'environment' })

async function addPerson(admin: Client, url: string, name: string): Promise<Person> {
  const email = `${name}@example.test`
  await admin.send('POST', '/api/v1/users', User, { name, email })
  const { token } = await admin.send('POST', '/api/v1/tokens', CreatedToken, {
    name: 'demo',
    user: name,
    scopes: ['write'],
  })
  return { name, email, token, client: clientOf(url, token) }
}

async function findTerraform(): Promise<'terraform' | 'tofu' | null> {
  for (const tool of ['terraform', 'tofu'] as const) if (await isThere(tool, 'version')) return tool
  return null
}

/** Whether a program runs on this machine. */
export const isThere = (program: string, ...argv: string[]): Promise<boolean> =>
  promisify(execFile)(program, argv, { env: { ...process.env, CHECKPOINT_DISABLE: '1' } }).then(
    () => true,
    () => false,
  )

/** Tools that `npm run tools` put beside the project are used by the demo as if they were on PATH. */
export const pathWithTools = (root: string, path: string): string => `${path}${delimiter}${join(root, '.tools', 'bin')}`
