import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Order } from './contestant.ts'

/** The process with the agents, as its parent speaks with it. One order at a time. */
export interface Agents {
  pid: number
  ask<T>(order: Order): Promise<T>
  close(): void
}

export function startAgents(): Agents {
  const program = new URL('./contestant.ts', import.meta.url).pathname
  const child: ChildProcess = fork(program, [], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  return {
    pid: child.pid!,
    ask: <T>(order: Order) =>
      new Promise<T>((resolve, reject) => {
        const ended = (code: number | null): void => reject(new Error(`the agents ended with ${code}`))
        child.once('exit', ended)
        child.once('message', ({ said }: { said: T }) => {
          child.off('exit', ended)
          resolve(said)
        })
        child.send(order)
      }),
    close: () => child.disconnect(),
  }
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
