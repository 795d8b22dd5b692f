import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { TrueupError } from '../../lib/errors/error.ts'

/** SIGTERM lets git remove its lock files; this much later comes SIGKILL. */
const GRACE_MS = 2_000

/** Every process the child started, each the leader of its own group, so that none outlives it. */
export interface Processes {
  start(program: string, argv: readonly string[], options: SpawnOptions): ChildProcess
  /** SIGTERM to the whole group, SIGKILL after a grace. Does nothing once it has ended. */
  end(child: ChildProcess): void
  killAll(): void
}

export function createProcesses(report: (event: { started: number } | { ended: number }) => void): Processes {
  const running = new Set<number>()
  const signal = (pid: number, name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name)
    } catch {
      // the whole group has ended already
    }
  }
  return {
    start(program, argv, options) {
      const child = spawn(program, argv, { ...options, detached: true, windowsHide: true })
      const { pid } = child
      if (pid !== undefined) {
        running.add(pid)
        report({ started: pid })
        child.once('exit', () => {
          running.delete(pid)
          report({ ended: pid })
        })
      }
      // A write to a process that has ended is no news: its exit code says what happened.
      child.stdin?.on('error', () => {})
      return child
    },
    end(child) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      const pid = child.pid
      signal(pid, 'SIGTERM')
      const timer = setTimeout(() => running.has(pid) && signal(pid, 'SIGKILL'), GRACE_MS)
      child.once('exit', () => clearTimeout(timer))
    },
    killAll() {
      for (const pid of running) signal(pid, 'SIGKILL')
    },
  }
}

/** git itself cannot be started. */
export function cannotStart(error: NodeJS.ErrnoException): TrueupError {
  return new TrueupError('TOOL_MISSING', {
    doing: 'starting git',
    why: error.code === 'ENOENT' ? 'there is no `git` on the PATH of the server' : error.message,
    next: 'Install git 2.39 or newer on the machine of the server.',
    cause: error,
  })
}
