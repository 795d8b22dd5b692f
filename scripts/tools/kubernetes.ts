import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { toolsDirectory } from '../../test/tools.ts'
import { canInstallPackages } from './debian.ts'

const RECIPE = join(import.meta.dirname, '../../test/kube/build-from-debian')

/** The recipe installs Go by apt-get and needs Debian's source package. */
export const canBuildKubernetes = (): boolean => process.platform === 'linux' && canInstallPackages()

/**
 * Builds kube-apiserver, kube-controller-manager and kubectl into `.tools/bin`; what is there already costs nothing. Its
 * output goes to the terminal: it takes about five minutes.
 */
export function buildKubernetes(): void {
  console.log('kube-apiserver   building from Debian’s source package, about five minutes')
  execFileSync(RECIPE, [toolsDirectory], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 45 * 60_000 })
}
