import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { madeOnce } from './cache.ts'
import { canInstallPackages, debianRelease, installPackages } from './debian.ts'

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

/** Whether there is such a Python, or this Debian's own one is new enough and root can install what it lacks. */
export const canProvidePython = (minor: number): boolean =>
  findPython(minor) !== null || (canInstallPackages() && debianPython() >= minor)

/** The minor version of a Debian's `python3`: 3.11 in Debian 12, 3.13 in 13. */
const debianPython = (): number => (debianRelease() >= 13 ? 13 : debianRelease() === 12 ? 11 : 0)

function providedPython(minor: number): string | null {
  const found = findPython(minor)
  if (found !== null || !canProvidePython(minor)) return found
  installPackages(['python3-venv'])
  return findPython(minor)
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

/** The place in the cache of the mark that an environment is complete. */
export const pythonProgramsName = (name: string): string => `${name}-done`

/** Makes the environment and answers the directory of its programs. Throws where there is no such Python or pip gives up. */
export function installPythonPrograms({ name, packages, python }: PythonPrograms, timeoutMs: number): string {
  const interpreter = providedPython(python)
  if (interpreter === null) throw new Error(`needs Python 3.${python} or newer with venv`)
  // An environment cannot be moved (its programs name it): the finished mark is beside it, and a broken one is made anew.
  const place = madeOnce(pythonProgramsName(name), (directory) => {
    const environment = `${directory.replace(/\.arriving-.*$/, '')}`.replace(/-done$/, '')
    execFileSync(interpreter, ['-m', 'venv', '--clear', environment], { stdio: ['ignore', 'ignore', 'pipe'] })
    const pip = [join(environment, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--no-compile', ...packages]
    execFileSync(pip[0]!, pip.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], timeout: timeoutMs })
    mkdirSync(directory, { recursive: true })
    symlinkSync(join(environment, 'bin'), join(directory, 'bin'))
  })
  return join(place, 'bin')
}
