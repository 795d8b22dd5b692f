import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { baseEnvironment, type ContestantRun } from './harness.ts'
import { treeCpuSeconds } from './process-cpu.ts'

/**
 * Runs a program of which only a part is the work: what a long-living server does once at its start is not. The program
 * writes the line `ready`, waits for a line on its standard input, works, writes `done` and ends when its standard input
 * does. Measured from the one line to the other are the wall time and the CPU time of its whole process tree;
 * `setUpCpuSeconds` is what it had used before.
 */
export async function runWindow(
  argv: readonly string[],
  options: { cwd?: string; env?: { [name: string]: string } } = {},
): Promise<ContestantRun & { setUpCpuSeconds: number }> {
  const [command = '', ...args] = argv
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...baseEnvironment(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stdout: string[] = []
  const stderr: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => {}) // It has ended; its exit code says why.
  const measured = { setUp: 0, cpu: Number.NaN, wall: Number.NaN }
  let startedAt = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') {
      measured.setUp = treeCpuSeconds(child.pid ?? 0)
      startedAt = performance.now()
      child.stdin.write('go\n')
    } else if (line === 'done') {
      measured.wall = (performance.now() - startedAt) / 1000
      measured.cpu = treeCpuSeconds(child.pid ?? 0) - measured.setUp
      child.stdin.end()
    } else stdout.push(line)
  })
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 128))
  })
  return {
    exitCode,
    stdout: stdout.join('\n'),
    stderr: Buffer.concat(stderr).toString(),
    wallSeconds: measured.wall,
    cpuSeconds: measured.cpu,
    setUpCpuSeconds: measured.setUp,
  }
}

/** The program's side: says `ready`, works at the go, says `done`, and resolves when it may clean up and end. */
export async function workInWindow(work: () => Promise<void>): Promise<void> {
  const ended = new Promise<void>((resolve) => process.stdin.once('end', () => resolve()))
  const go = new Promise<void>((resolve) => process.stdin.once('data', () => resolve()))
  console.log('ready')
  await go
  await work()
  console.log('done')
  await ended
}
