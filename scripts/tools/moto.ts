import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { toolsDirectory } from '../../test/tools.ts'
import { installPythonPrograms, type PythonPrograms } from './python-venv.ts'

/** A second target of the cloudformation driver's tests, beside the double in test/cloudformation. */
export const MOTO: PythonPrograms = { name: 'moto-5.2.5', packages: ['moto[server,cloudformation]==5.2.5'], python: 10 }

/** Installs moto from PyPI into an environment of its own, and its server into `.tools/bin`. */
export function installMoto(): void {
  const programs = installPythonPrograms(MOTO, 15 * 60_000)
  mkdirSync(toolsDirectory, { recursive: true })
  const place = join(toolsDirectory, 'moto_server')
  rmSync(place, { force: true })
  symlinkSync(join(programs, 'moto_server'), place)
}
