import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorFromBody, TrueupError } from '../lib/errors/error.ts'
import { SHORT_PAUSES } from '../lib/short-pauses.ts'
import type { Logger } from '../lib/log.ts'
import { pause } from '../lib/retry.ts'
import type { ChildSettings, FromChild, Operation, Operations, ToChild } from './protocol.ts'

/** From the second death in a row on; after the first one the new process is started at once. */
const RESTART_PAUSES = { first: 200, longest: 5_000 }
const STABLE_MS = 30_000
/** Processes that may die one after the other before the first is ready. */
const START_ATTEMPTS = 4
const READY_MS = 20_000

export interface CallOptions {
  /** Ask again when the child dies meanwhile: only for what changes nothing. */
  repeat?: boolean
  signal?: AbortSignal
}

/** The git child process as the server sees it: calls, and a new process when one dies. */
export interface GitChild {
  call<Name extends Operation>(
    operation: Name,
    input: Operations[Name]['input'],
    options?: CallOptions,
  ): Promise<Operations[Name]['output']>
  readonly socketPath: string
  close(): Promise<void>
}

interface Call {
  operation: Operation
  input: Operations[Operation]['input']
  options: CallOptions
  repeated: boolean
  resolve: (output: never) => void
  reject: (error: TrueupError) => void
}

interface Generation {
  process: ChildProcess
  socketPath: string
  /** Process groups that the child started and that have not ended. */
  groups: Set<number>
  calls: Map<number, Call>
  ready: Promise<void>
  readyAt: number
  /** Sent away since nobody asked for anything: the next call starts another. */
  resting: boolean
}

/** `idleMs`: the process ends after so long without a call, and the next call starts it again; without it, it stays. */
export async function startGitChild(
  settings: Omit<ChildSettings, 'socketPath'> & { runtimeDirectory: string; idleMs?: number | undefined },
  log: Logger,
  onCrash: () => Promise<void>,
): Promise<GitChild> {
  let closed = false
  let generations = 0
  let failures = 0
  let nextId = 1
  let begun = false
  let idle: NodeJS.Timeout | undefined
  let current = startGeneration()
  while (!begun) {
    const awaited = current
    try {
      await awaited.ready
      begun = true
      restLater()
    } catch (error) {
      // One that died is being replaced already; one that says why it cannot start would say so again.
      if (current !== awaited && failures < START_ATTEMPTS) continue
      closed = true
      throw error
    }
  }

  function startGeneration(): Generation {
    // `.ts` in development, `.js` after the build: the child's source has the same ending as this file.
    const main = fileURLToPath(
      new URL(`./child/main${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
    )
    const socketPath = join(settings.runtimeDirectory, `git-${++generations}.sock`)
    const { root, hooksPath } = settings
    const process = fork(main, [JSON.stringify({ root, hooksPath, socketPath } satisfies ChildSettings)], {
      serialization: 'advanced',
      execArgv: SHORT_PAUSES,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const generation: Generation = {
      process,
      socketPath,
      groups: new Set(),
      calls: new Map(),
      readyAt: 0,
      ready: Promise.resolve(),
      resting: false,
    }
    generation.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => process.kill('SIGKILL'), READY_MS)
      process.on('message', (message: FromChild) => {
        if ('failed' in message) {
          if (!begun) closed = true
          return reject(errorFromBody(message.failed))
        }
        if (!('ready' in message)) return receive(generation, message)
        clearTimeout(timer)
        generation.readyAt = Date.now()
        resolve()
      })
      process.once('error', (error) => reject(unavailable(error.message)))
      process.once('exit', (code, signal) => {
        clearTimeout(timer)
        reject(unavailable(`the git process ended with ${code ?? signal}`))
        ended(generation, code, signal)
      })
    })
    // Whoever calls meanwhile sees the rejection; without a caller it must not end the server.
    generation.ready.catch(() => {})
    return generation
  }

  function receive(generation: Generation, message: FromChild): void {
    if ('started' in message) generation.groups.add(message.started)
    else if ('ended' in message) generation.groups.delete(message.ended)
    else if ('log' in message) log[message.log.level](message.log.fields, message.log.message)
    else if ('id' in message) {
      const call = generation.calls.get(message.id)
      generation.calls.delete(message.id)
      if ('error' in message) call?.reject(errorFromBody(message.error))
      else call?.resolve(message.output as never)
      restLater()
    }
  }

  function restLater(): void {
    clearTimeout(idle)
    if (settings.idleMs === undefined || closed) return
    idle = setTimeout(() => {
      const { process, calls, readyAt } = current
      if (closed || calls.size > 0 || readyAt === 0 || !process.connected) return
      current.resting = true
      process.send({ rest: true } satisfies ToChild, () => {})
    }, settings.idleMs)
    idle.unref()
  }

  function ended(generation: Generation, code: number | null, signal: NodeJS.Signals | null): void {
    for (const group of generation.groups) killGroup(group)
    if (generation.resting) return
    const calls = [...generation.calls.values()]
    generation.calls.clear()
    if (closed) {
      for (const call of calls) call.reject(unavailable('the server is stopping'))
      return
    }
    log.error({ code, signal, inFlight: calls.length }, 'the git process ended and is started again')
    failures = generation.readyAt > 0 && Date.now() - generation.readyAt > STABLE_MS ? 0 : failures + 1
    const restarted = pause(failures - 1, RESTART_PAUSES).then(() => {
      if (closed) throw unavailable('the server is stopping')
      current = startGeneration()
      // Before the first was ready nothing was under way.
      return begun ? current.ready.then(onCrash) : current.ready
    })
    restarted.catch(() => {})
    // Until the new process is there, calls wait for it.
    current = { ...generation, calls: new Map(), groups: new Set(), ready: restarted, process: generation.process }
    for (const call of calls) {
      if (call.options.repeat && !call.repeated) void dispatch({ ...call, repeated: true })
      else call.reject(unavailable('the git process ended while it worked on this; whether it was done is not known'))
    }
  }

  async function dispatch(call: Call): Promise<void> {
    try {
      for (let awaited: Generation | null = null; awaited !== current; ) {
        if (current.resting && !closed) current = startGeneration()
        awaited = current
        await awaited.ready
      }
    } catch (error) {
      call.reject(error instanceof TrueupError ? error : unavailable(String(error)))
      return
    }
    const { process, calls } = current
    if (closed) return call.reject(unavailable('the server is stopping'))
    if (call.options.signal?.aborted) return call.reject(canceled())
    const id = nextId++
    calls.set(id, call)
    call.options.signal?.addEventListener(
      'abort',
      () => calls.has(id) && process.send({ cancel: id } satisfies ToChild, () => {}),
      { once: true },
    )
    // An error here means that the process is ending: its `exit` deals with the call.
    process.send({ id, operation: call.operation, input: call.input } satisfies ToChild, () => {})
  }

  return {
    call: (operation, input, options = {}) =>
      new Promise((resolve, reject) => {
        void dispatch({ operation, input, options, repeated: false, resolve, reject })
      }),
    get socketPath() {
      return current.socketPath
    },
    async close() {
      if (closed) return
      closed = true
      clearTimeout(idle)
      const { process } = current
      if (process.exitCode !== null || process.signalCode !== null) return
      const exit = new Promise<void>((resolve) => process.once('exit', () => resolve()))
      const timer = setTimeout(() => process.kill('SIGKILL'), 5_000)
      if (process.connected) process.disconnect()
      await exit
      clearTimeout(timer)
    },
  }
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}

function unavailable(why: string): TrueupError {
  return new TrueupError('UNAVAILABLE', { doing: 'working with Git', why })
}

function canceled(): TrueupError {
  return new TrueupError('CANCELED', { doing: 'working with Git', why: 'it is not wanted any more' })
}
