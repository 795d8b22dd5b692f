import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { WorkerPeer } from './peer.ts'

const MAIN = join(import.meta.dirname, '../../src/worker/main.ts')

/** A real runner in a process of its own. */
export interface RunnerProcess {
  process: ChildProcess
  /** Everything it logged. */
  log(): string
  /** Sends a signal and waits for its end. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

export function startRunnerProcess(
  peer: Pick<WorkerPeer, 'url' | 'enrolment'>,
  data: string,
  args: string[] = [],
): RunnerProcess {
  const child = spawn(
    process.execPath,
    [MAIN, '--server', peer.url, '--data', data, '--name', 'test-runner', '--grace', '1', '--slots', '2', ...args],
    {
      env: {
        PATH: process.env.PATH,
        TRUEUP_ENROLMENT_TOKEN: peer.enrolment,
        TRUEUP_LOG_LEVEL: 'debug',
        RUNNER_SECRET: 'own-env',
      },
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  )
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return {
    process: child,
    log: () => text,
    async end(signal) {
      child.kill(signal)
      return await ended
    },
  }
}
