import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { standIn } from '../../src/lib/testing/stand-in.ts'
import { startPeer, type WorkerPeer } from './peer.ts'
import { type RunnerProcess, startRunnerProcess } from './runner-process.ts'

/** A server's end and a directory of its own for each test, and real runners on them, which end with the test. */
export function useRunners() {
  let current: WorkerPeer | undefined
  let directory = ''
  const runners: RunnerProcess[] = []
  const peer = standIn(() => current)
  const inside = (...path: string[]): string => join(directory, ...path)
  beforeEach(async () => {
    current = await startPeer()
    directory = mkdtempSync(join(tmpdir(), 'trueup-runner-'))
  })
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.end('SIGKILL')))
    await current?.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const startAt = ({ url, enrolment }: Pick<WorkerPeer, 'url' | 'enrolment'>, ...args: string[]): RunnerProcess => {
    const runner = startRunnerProcess({ url, enrolment }, inside('data'), ['--workspaces', inside('ws'), ...args])
    runners.push(runner)
    return runner
  }
  return {
    peer,
    /** A path in the test's directory: the runner's `data` and `ws` are there. */
    inside,
    start: (...args: string[]) => startAt(peer, ...args),
    startAt,
  }
}

export const FINAL = ['succeeded', 'failed', 'canceled', 'lost']

/** Polls until the condition holds. */
export const until = (condition: () => unknown, timeout = 280_000) =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout, interval: 20 })
