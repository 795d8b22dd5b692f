import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

/** A running `child.ts`. Every line that it has said is in `said`. */
export interface Child {
  pid: number
  said: { [key: string]: unknown }[]
  /** Resolves when it has said something with this key; rejects when it ends before. */
  hears(key: string): Promise<unknown>
  /** Resolves when it has said this many lines. */
  lines(count: number): Promise<void>
  kill(signal?: NodeJS.Signals): Promise<void>
  ended: Promise<void>
}

/** Starts `child.ts`; `wrap` puts a command line around it. */
export function startChild(args: string[], wrap: (argv: string[]) => string[] = (argv) => argv): Child {
  const [command = '', ...rest] = wrap([process.execPath, CHILD, ...args])
  const child: ChildProcess = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: Child['said'] = []
  let errors = ''
  let over = false
  let wake = (): void => {}
  child.stderr?.on('data', (data: Buffer) => (errors += data.toString()))
  const reading = child.stdout ? createInterface(child.stdout) : undefined
  reading?.on('line', (line) => {
    said.push(JSON.parse(line) as { [key: string]: unknown })
    wake()
  })
  const ended = once(child, 'close').then(() => {
    over = true
    wake()
  })
  const until = async <T>(what: string, look: () => T | undefined): Promise<T> => {
    for (;;) {
      const seen = look()
      if (seen !== undefined) return seen
      if (over) throw new Error(`the process ended before ${what}: ${JSON.stringify(said.at(-1))} ${errors}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    pid: child.pid ?? 0,
    said,
    ended,
    hears: (key) => until(`saying "${key}"`, () => said.find((line) => key in line)?.[key]),
    lines: (count) => until(`saying ${count} lines`, () => (said.length >= count ? true : undefined)).then(() => {}),
    async kill(signal = 'SIGKILL') {
      child.kill(signal)
      await ended
    },
  }
}
