import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { silentLogger } from '../../lib/log.ts'
import { noTracing } from '../../lib/tracing/span.ts'
import { processRegistry } from '../../lib/process/registry.ts'
import type { GitRepository } from '../../git/repository.ts'
import { linksOf } from '../../drivers/kept-links.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { Link } from '../../worker/connection/connect.ts'
import type { Decision, Grant, Method, Params, Result } from '../../worker/protocol.ts'
import { watchRoom } from '../../worker/room.ts'
import { activeRun } from '../../worker/runs/active-run.ts'
import { executeRun } from '../../worker/runs/execute-run.ts'
import type { RunnerParts } from '../../worker/runs/parts.ts'
import { openSandboxes } from '../../worker/sandbox/sandbox.ts'
import type { SandboxSettings } from '../../worker/sandbox/settings.ts'
import { openWorkspaces } from '../../worker/workspace.ts'

/** Between SIGINT and SIGKILL for a tool that is told to stop. */
const GRACE_MS = 10_000

/** A run and what there is to know of it beside its grant. */
export interface BenchRun {
  grant: Grant
  definition: StackDefinition
  /** Files as they are deployed, where that is another commit. */
  deployed?: { commit: string; paths: readonly string[]; definition: StackDefinition }
  /** What becomes of the plan, which has no secret in it any more. */
  readonly decide: (planned: Params<'plan'>) => Promise<Decision>
  readonly onLine: (line: string) => void
  /** Its tools are told to stop, since it is no longer ours; besides the signal of the job. */
  lost?: AbortSignal
}

/** How a run ended; `finish` is null where it was over with its plan. */
export interface BenchEnd {
  applied: Params<'applied'> | null
  finish: Params<'finish'> | null
}

/** Executes runs as a worker does, with the same code, one at a time and with nobody else to ask. */
export interface Bench {
  /** Rejects with what `decide` threw. */
  execute(run: BenchRun): Promise<BenchEnd>
}

export interface BenchOptions {
  /** Caches that may be kept between pipelines, and what is removed with each. */
  data: string
  repository: GitRepository
  env: NodeJS.ProcessEnv
  /** Variables that no tool gets. */
  withheld: ReadonlySet<string>
  sandbox: SandboxSettings
  signal: AbortSignal
}

export function openBench({ data, repository, env, withheld, sandbox, signal }: BenchOptions): Bench {
  for (const name of ['workspaces', 'cache', 'processes']) mkdirSync(join(data, name), { recursive: true, mode: 0o700 })
  const workspaces = openWorkspaces(join(data, 'workspaces'), silentLogger)
  const shared = {
    workspaces,
    registry: processRegistry(join(data, 'processes')),
    sandboxes: openSandboxes({ ...sandbox, hide: [...sandbox.hide, workspaces.directory] }),
    room: watchRoom([workspaces.directory, join(data, 'cache'), tmpdir()]),
    log: silentLogger,
    tracing: noTracing,
    cacheRoot: join(data, 'cache'),
    passEnv: Object.keys(env).filter((name) => !withheld.has(name)),
    graceMs: GRACE_MS,
    fleeting: true,
    now: () => Date.now(),
  }
  return {
    async execute({ grant, definition, deployed, decide, onLine, lost }) {
      const ended: BenchEnd = { applied: null, finish: null }
      let failure: { thrown: unknown } | undefined
      const lines = linesOf(onLine)
      const handlers: { [M in Method]?: (params: Params<M>) => Result<M> | Promise<Result<M>> } = {
        state: () => ({}),
        log({ offset, text }) {
          lines.push(text)
          return { next: offset + text.length }
        },
        async plan(params) {
          try {
            return await decide(params)
          } catch (thrown) {
            failure = { thrown }
            return { action: 'stop', reason: 'undecided' }
          }
        },
        applied(params) {
          ended.applied = params
          return {}
        },
        finish(params) {
          ended.finish = params
          return {}
        },
      }
      const answer = async <M extends Method>(method: M, params: Params<M>): Promise<Result<M>> =>
        (await handlers[method]?.(params)) ?? ({} as Result<M>)
      const link: Link = {
        call: answer,
        deliver: answer,
        awayMs: () => 0,
        over: new AbortController().signal,
        close: async () => {},
      }
      const parts: RunnerParts = {
        ...shared,
        link,
        source: {
          fetch: async (its, directory) => ({
            grant: its,
            files: await repository.materialise(its.commit, its.paths, directory, linksOf(definition)),
          }),
          async fetchDeployed(_grant, directory) {
            if (deployed)
              await repository.materialise(
                deployed.commit,
                [...deployed.paths],
                directory,
                linksOf(deployed.definition),
              )
          },
          fetchWatched: async () => {
            throw new Error('a pipeline watches nothing')
          },
          variables: (_order, offered) => offered,
          applying() {},
          applied() {},
          left: async () => {},
          drifted() {},
          close: async () => {},
        },
        outbox: {
          applied: async (applied) => void (await answer('applied', applied)),
          finish: async (finish) => void (await answer('finish', finish)),
          left: () => [],
          deliverLeft: async () => {},
          waiting: () => 0,
        },
      }
      const run = activeRun(grant)
      const stop = (): void => run.stop({ kind: 'canceled', why: 'the pipeline was stopped' })
      const end = (): void => run.stop({ kind: 'canceled', why: 'another pipeline has taken the stack over' })
      signal.addEventListener('abort', stop)
      lost?.addEventListener('abort', end)
      if (signal.aborted) stop()
      if (lost?.aborted) end()
      try {
        await executeRun(run, parts)
      } finally {
        signal.removeEventListener('abort', stop)
        lost?.removeEventListener('abort', end)
        lines.flush()
      }
      if (failure) throw failure.thrown
      return ended
    },
  }
}

/** Whole lines of a text that comes in pieces. */
function linesOf(onLine: (line: string) => void): { push(text: string): void; flush(): void } {
  let rest = ''
  return {
    push(text) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    },
    flush() {
      if (rest !== '') onLine(rest)
      rest = ''
    },
  }
}
