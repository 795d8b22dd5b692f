import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { toolsDirectory } from '../../test/tools.ts'
import { canInstallPackages, debianRelease } from './debian.ts'
import { buildGoProgram, canBuildGo } from './go-module.ts'
import { kubernetesPrograms } from './newest.ts'

const RECIPE = join(import.meta.dirname, '../../test/kube/build-from-debian')

/** Debian 12 is the one whose source package builds: the oldest version that the driver is for. */
const hasSourcePackage = (): boolean => canInstallPackages() && debianRelease() === 12

/** By the recipe, which installs Go by apt-get, or with a Go that is there from the published modules. */
export const canBuildKubernetes = (): boolean => process.platform === 'linux' && (hasSourcePackage() || canBuildGo())

/**
 * Builds kube-apiserver, kube-controller-manager and kubectl into `.tools/bin`; what is there already costs nothing. On
 * Debian 12 from its source package, in about five minutes, with the output on the terminal; elsewhere a version of today
 * from the published Go modules, which takes longer.
 */
export function buildKubernetes(): void {
  if (hasSourcePackage()) {
    console.log('kube-apiserver   building from Debian’s source package, about five minutes')
    execFileSync(RECIPE, [toolsDirectory], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 45 * 60_000 })
    return
  }
  console.log('kube-apiserver   building from its Go modules, half an hour on two cores')
  mkdirSync(toolsDirectory, { recursive: true })
  for (const program of kubernetesPrograms()) {
    const place = join(toolsDirectory, program.name)
    if (existsSync(place)) continue
    const arriving = `${place}.arriving`
    copyFileSync(join(buildGoProgram(program, 60 * 60_000), program.name), arriving)
    chmodSync(arriving, 0o755)
    renameSync(arriving, place)
  }
}
