import { access, constants, mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import type { DriverContext } from '../driver.ts'
import type { Host } from './host.ts'
import { EXTRA_PATH, GUARD } from './remote-scripts.ts'

/** The worker's own machine. Nothing is copied: the workspace is private to the run already. */
export async function openLocal(context: DriverContext<unknown>): Promise<Host> {
  const directory = await mkdtemp(join(context.scratch, 'host-'))
  const path = [context.env.PATH ?? '', ...EXTRA_PATH].join(delimiter)
  return {
    name: '',
    directory,
    place: ({ extra = {} }) => Promise.resolve({ root: context.workspace, extra: { ...extra } }),
    async write(name, content) {
      await mkdir(dirname(join(directory, name)), { recursive: true, mode: 0o700 })
      await writeFile(join(directory, name), content, { mode: 0o600 })
    },
    read: readStart,
    which: (names) => findProgram(names, context.env.PATH ?? ''),
    run: ({ argv, env, cwd, guarded, ...spec }) =>
      context.run({
        ...spec,
        argv: guarded ? ['sh', '-c', GUARD, 'trueup', ...argv] : argv,
        cwd: cwd ?? directory,
        env: { ...context.env, PATH: path, ...env },
      }),
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

async function readStart(path: string, limit: number): Promise<Buffer | null> {
  try {
    if (!(await stat(path)).isFile()) return null
    await using file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(limit), 0, limit, 0)
    return buffer.subarray(0, bytesRead)
  } catch {
    return null
  }
}

async function findProgram(names: readonly string[], path: string): Promise<string | null> {
  for (const name of names) {
    for (const directory of path.split(delimiter).filter(Boolean)) {
      const candidate = join(directory, name)
      const there = await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (there && (await stat(candidate)).isFile()) return candidate
    }
  }
  return null
}
