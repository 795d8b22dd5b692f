import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { madeOnce } from './cache.ts'

/** Programs of a package of PyPI, in an environment of their own. */
export interface PythonPrograms {
  /** Name of the environment: `ansible-core-2.19.4`. */
  name: string
  /** What pip installs, pinned. */
  packages: readonly string[]
  /** The oldest Python that the package runs on, as a minor version of 3. */
  python: number
}

/** The newest Python of PATH that can make environments and is at least 3.`minor`; null where none is. */
export function findPython(minor: number): string | null {
  for (const name of ['python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3']) {
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(directory, name)
      if (existsSync(path) && pythonFits(path, minor)) return path
    }
  }
  return null
}

function pythonFits(path: string, minor: number): boolean {
  try {
    const script = 'import sys, venv, ensurepip; print(sys.version_info.minor)'
    const said = execFileSync(path, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return Number(said) >= minor
  } catch {
    return false
  }
}

/** Makes the environment and answers the directory of its programs. Throws where there is no such Python or pip gives up. */
export function installPythonPrograms({ name, packages, python }: PythonPrograms): string {
  const interpreter = findPython(python)
  if (interpreter === null) throw new Error(`needs Python 3.${python} or newer with venv`)
  // An environment cannot be moved (its programs name it): the finished mark is beside it, and a broken one is made anew.
  const place = madeOnce(`${name}-done`, (directory) => {
    const environment = `${directory.replace(/\.arriving-.*$/, '')}`.replace(/-done$/, '')
    execFileSync(interpreter, ['-m', 'venv', '--clear', environment], { stdio: ['ignore', 'ignore', 'pipe'] })
    const pip = [join(environment, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', ...packages]
    execFileSync(pip[0]!, pip.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], timeout: 15 * 60_000 })
    mkdirSync(directory, { recursive: true })
    symlinkSync(join(environment, 'bin'), join(directory, 'bin'))
  })
  return join(place, 'bin')
}
