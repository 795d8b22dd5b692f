import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { collect } from '../src/cli/output.ts'
import { MrDetail, MrSummary } from '../src/server/schemas/merge-requests.ts'
import { Stack } from '../src/server/schemas/stacks.ts'
import { baseEnvironment, runContestant } from './harness.ts'
import { type BenchServer, startBenchServer } from './server.ts'

/** The repository of B3 and B4: 50 stacks of one `terraform_data` each, deployed before anything is measured. */
export const STACKS = 50
const REPOSITORY = '/api/v1/repositories/bench'
const PATIENCE_MS = 300_000

export const stackDirectory = (stack: number): string => `stacks/s${String(stack).padStart(2, '0')}`
export const stackNumbers = Array.from({ length: STACKS }, (_, stack) => stack)

/** What a push cost until all its plans were there. */
export interface Measured {
  /** Of the server, its git process, its runner and their tools. */
  serverCpuSeconds: number
  /** Of `git push` on the pusher's side. */
  pushCpuSeconds: number
  wallSeconds: number
  mr: MrDetail
}

/** A server with a repository, and a person's clone of it. */
export interface MrWorld {
  server: BenchServer
  clone: string
  readonly git: (...argv: string[]) => string
  readonly write: (path: string, content: string) => void
  /** Commits everything and gives the oid. */
  readonly commit: (message: string, ...options: string[]) => string
  /** Pushes HEAD to a branch with real git and waits until every plan of its merge request is stored and shown. */
  pushAndWait(branch: string, ...options: string[]): Promise<Measured>
  /** CPU-seconds of a push of HEAD to a branch, on the pusher's side. */
  timedPush(remote: string, branch: string, ...options: string[]): Promise<number>
  close(mr: { number: number }): Promise<void>
  stop(): Promise<void>
}

export const stackCode = (value: string): string => `resource "terraform_data" "it" {\n  input = "${value}"\n}\n`

const CONFIG = `version: 1
environments:
  development:
    tier: development
    drift: { mode: observe, interval: 24h }
stacks:
  - path: stacks/*
    driver: terraform
    with: { tool: terraform }
`

/** `toolPath` is the directory of terraform. */
export async function startMrWorld(directory: string, toolPath: string): Promise<MrWorld> {
  const server = await startBenchServer(directory, toolPath)
  const clone = join(directory, 'clone')
  mkdirSync(clone)
  const env = gitEnvironment(server.adminToken)
  const git = (...argv: string[]): string =>
    execFileSync('git', argv, { cwd: clone, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  const world: MrWorld = {
    server,
    clone,
    git,
    write(path, content) {
      mkdirSync(dirname(join(clone, path)), { recursive: true })
      writeFileSync(join(clone, path), content)
    },
    commit(message, ...options) {
      git('add', '--all')
      git('commit', '--quiet', '--message', message, ...options)
      return git('rev-parse', 'HEAD')
    },
    async pushAndWait(branch, ...options) {
      const head = git('rev-parse', 'HEAD')
      const planned = watchPlans(server, branch, head)
      await planned.ready
      const before = server.cpuSeconds()
      const startedAt = performance.now()
      const pushCpuSeconds = await world.timedPush('origin', branch, ...options)
      const mr = await planned.done
      const wallSeconds = (performance.now() - startedAt) / 1000
      return { serverCpuSeconds: server.cpuSeconds() - before, pushCpuSeconds, wallSeconds, mr }
    },
    async timedPush(remote, branch, ...options) {
      const argv = ['git', 'push', '--quiet', ...options, remote, `HEAD:refs/heads/${branch}`]
      const { run } = await runContestant({ name: 'git push', argv, cwd: clone, env, proof: () => Promise.resolve('') })
      return run.cpuSeconds
    },
    async close({ number }) {
      await server.admin.send('POST', `${REPOSITORY}/merge-requests/${number}/close`, z.unknown(), {})
    },
    stop: () => server.stop(),
  }
  try {
    await fillRepository(world)
  } catch (error) {
    await server.stop()
    throw error
  }
  return world
}

async function fillRepository(world: MrWorld): Promise<void> {
  const { server } = world
  const made = await server.admin.send('POST', '/api/v1/repositories', z.object({ gitUrl: z.string() }), {
    name: 'bench',
  })
  world.git('init', '--quiet', '--initial-branch', 'main')
  world.git('remote', 'add', 'origin', made.gitUrl)
  world.write('README.md', '# bench\n')
  world.write('trueup.yaml', CONFIG)
  for (const stack of stackNumbers) world.write(`${stackDirectory(stack)}/main.tf`, stackCode('first'))
  world.commit('Begin')
  world.git('push', '--quiet', 'origin', 'main')
  // Each stack is checked once for drift after its deployment: that must not fall into what is measured.
  const isQuiet = async (): Promise<boolean> => {
    const stacks = await collect(server.admin.all(`${REPOSITORY}/stacks`, Stack))
    const failed = stacks.find((stack) => stack.state === 'failed')
    if (failed) throw new Error(`${failed.name}: ${failed.stateReason}`)
    const checked = stacks.filter(({ state, observed, deployed }) => {
      return state === 'in_sync' && observed.at !== null && deployed.at !== null && observed.at > deployed.at
    })
    return checked.length === STACKS
  }
  for (const until = Date.now() + PATIENCE_MS; !(await isQuiet()); await pause(200)) {
    if (Date.now() > until) throw new Error('the first deployment did not end')
  }
}

/** Looks when the server says that a merge request has changed, as a browser does, and not before. */
function watchPlans(
  server: BenchServer,
  branch: string,
  head: string,
): { ready: Promise<void>; done: Promise<MrDetail> } {
  let changed = false
  let wake = (): void => {}
  let close = (): void => {}
  const ready = server
    .onMrChange(() => {
      changed = true
      wake()
    })
    .then((stop) => void (close = stop))
  const nextChange = async (): Promise<void> => {
    if (!changed) await new Promise<void>((resolve) => (wake = resolve))
    changed = false
  }
  const look = async (): Promise<MrDetail> => {
    await ready
    let number: number | null = null
    // Changes come in bursts; one look serves those of a quarter of a second, and of a second once it takes longer.
    const begun = Date.now()
    for (const until = begun + PATIENCE_MS; ; await pause(Date.now() - begun < 2_000 ? 250 : 1_000)) {
      await nextChange()
      if (number === null) {
        const all = await collect(server.admin.all(`${REPOSITORY}/merge-requests`, MrSummary))
        number = all.find((mr) => mr.sourceBranch === branch)?.number ?? null
      }
      if (number === null) continue
      const mr = await server.admin.get(`${REPOSITORY}/merge-requests/${number}`, MrDetail)
      if (mr.problems.length > 0) throw new Error(JSON.stringify(mr.problems))
      const failed = mr.stacks.find((stack) => stack.state === 'failed')
      if (failed) throw new Error(`${failed.stack}: ${failed.note}`)
      if (mr.head === head && mr.planned) return mr
      if (Date.now() > until) throw new Error(`the plans of !${number} did not come`)
    }
  }
  return { ready, done: look().finally(() => close()) }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

function gitEnvironment(token: string): { [name: string]: string } {
  const person = { NAME: 'Bench', EMAIL: 'bench@example.test' }
  return {
    ...baseEnvironment(),
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: person.NAME,
    GIT_AUTHOR_EMAIL: person.EMAIL,
    GIT_COMMITTER_NAME: person.NAME,
    GIT_COMMITTER_EMAIL: person.EMAIL,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`admin:${token}`).toString('base64')}`,
  }
}

/** The floor's working copy: the same code with local state, deployed like ours. */
export function makeFloorCheckout(directory: string, terraform: string): void {
  const env = { ...baseEnvironment() }
  for (const stack of stackNumbers) {
    const at = join(directory, stackDirectory(stack))
    mkdirSync(at, { recursive: true })
    writeFileSync(join(at, 'main.tf'), stackCode('first'))
    for (const argv of [
      ['init', '-input=false'],
      ['apply', '-input=false', '-auto-approve'],
    ])
      execFileSync(terraform, argv, { cwd: at, env, stdio: ['ignore', 'ignore', 'pipe'] })
  }
}

/** A fresh checkout, as CI has it: state and code, nothing initialised. */
export function refreshFloorCheckout(directory: string, valueOf: (stack: number) => string): void {
  for (const stack of stackNumbers) {
    const at = join(directory, stackDirectory(stack))
    rmSync(join(at, '.terraform'), { recursive: true, force: true })
    rmSync(join(at, 'plan'), { force: true })
    writeFileSync(join(at, 'main.tf'), stackCode(valueOf(stack)))
  }
}
