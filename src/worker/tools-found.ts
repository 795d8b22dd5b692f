import { realpath, stat } from 'node:fs/promises'
import type { ToolsFound } from '../domain/runs/programs.ts'
import { askVersion, findOnPath, PROGRAMS } from '../drivers/tools/programs.ts'
import type { Logger } from './logging.ts'

/** Looking costs a few calls of the kernel for each directory of the PATH. */
const LOOK_MS = 60_000
/** Asking all programs takes seconds of a core, and is for people only: the first runs go before. */
const ASK_AFTER_MS = 120_000

export interface ToolsOptions {
  env: NodeJS.ProcessEnv
  log: Logger
  /** There are others, or other versions. Called again with the next look where it throws. */
  tell: (tools: ToolsFound) => Promise<unknown>
  askAfterMs?: number
  lookMs?: number
}

/** Which programs of drivers are there, kept up to date. */
export interface Tools {
  /** What is known now. */
  found(): ToolsFound
  close(): void
}

interface Program {
  /** Path, size and time of change: another one is another program. */
  identity: string
  /** Null: not asked yet. */
  version: string | null
}

/** Looks for the programs, later asks for their versions, and goes on looking whether any comes, goes or changes. */
export async function watchTools({ env, log, tell, ...wish }: ToolsOptions): Promise<Tools> {
  const programs = new Map<string, Program>()
  let told = ''
  let looking: Promise<void> | undefined
  let asks = false
  let closed = false
  await look()
  told = JSON.stringify(found())
  const first = setTimeout(ask, wish.askAfterMs ?? ASK_AFTER_MS).unref()
  const timer = setInterval(again, wish.lookMs ?? LOOK_MS).unref()
  return {
    found,
    close() {
      closed = true
      clearTimeout(first)
      clearInterval(timer)
    },
  }

  function found(): ToolsFound {
    return Object.fromEntries([...programs].map(([name, { version }]) => [name, version ?? '']))
  }

  function ask(): void {
    asks = true
    again()
  }

  function again(): void {
    looking ??= lookAndTell()
      .catch((thrown: unknown) => log.debug({ err: thrown }, 'tools not told'))
      .finally(() => (looking = undefined))
  }

  async function lookAndTell(): Promise<void> {
    await look()
    // What came or went decides which runs come here; versions take longer.
    await tellIfNew()
    for (const [name, program] of programs) {
      if (closed || !asks) return
      if (program.version !== null) continue
      program.version = (await askVersion([name, ...(PROGRAMS.get(name) ?? [])], env)) ?? ''
    }
    await tellIfNew()
  }

  async function look(): Promise<void> {
    for (const name of PROGRAMS.keys()) {
      const identity = await identityOf(name, env.PATH ?? '')
      if (identity === null) programs.delete(name)
      else if (programs.get(name)?.identity !== identity) programs.set(name, { identity, version: null })
    }
  }

  async function tellIfNew(): Promise<void> {
    const now = found()
    const text = JSON.stringify(now)
    if (closed || text === told) return
    await tell(now)
    told = text
  }
}

/** Null where there is none of the name; a file that goes while it is looked at is none. */
async function identityOf(name: string, path: string): Promise<string | null> {
  try {
    const file = await findOnPath(name, path)
    if (file === null) return null
    const { size, mtimeMs } = await stat(file)
    return `${await realpath(file)} ${size} ${mtimeMs}`
  } catch {
    return null
  }
}
