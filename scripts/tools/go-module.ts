import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { madeOnce } from './cache.ts'
import { canInstallPackages, debianRelease, installPackages } from './debian.ts'

/** A program that is published as a Go module, at one version of it. */
export interface GoProgram {
  /** What it is called. */
  name: string
  /** `helm.sh/helm/v4`. */
  module: string
  /** `v4.3.2`, as the module proxy has it. */
  version: string
  /** Path of its main package. */
  package: string
  /** Variables that hold the version in the built program, which `go build` of a module leaves empty. */
  stamp?: { readonly [variable: string]: string }
}

/** 1.21 was the first that fetches a newer toolchain by itself, as modules of today need it. */
const OLDEST_GO = 21

/** Whether there is a Go that can build modules of today, or Debian has one: that of Debian 12 is too old. */
export const canBuildGo = (): boolean => goMinor() >= OLDEST_GO || debianHasGo()

const debianHasGo = (): boolean => canInstallPackages() && debianRelease() >= 13

/** The minor version of the Go on PATH; 0 where none is. */
function goMinor(): number {
  try {
    const said = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return Number(/^go1\.(\d+)/.exec(said.trim())?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Its place in the cache. */
export const goProgramName = ({ name, version }: GoProgram): string => `${name}-${version}`

/**
 * Builds the program from its published module and answers the directory that holds it; what was built stays. A build that
 * was given up goes on from where it was, thanks to Go's own cache.
 */
export function buildGoProgram(program: GoProgram, timeoutMs: number): string {
  return madeOnce(goProgramName(program), (directory) => {
    if (goMinor() < OLDEST_GO && debianHasGo()) installPackages(['golang-go', 'ca-certificates'])
    const work = mkdtempSync(join(tmpdir(), 'trueup-go-'))
    try {
      build(program, work, join(directory, program.name), Date.now() + timeoutMs)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  })
}

/**
 * What a module of a published program says to use in place of others, as arguments of `go mod edit -replace`: Go heeds
 * such lines of the main module only. OpenTofu takes a fork of a library. Kubernetes takes directories of its own
 * repository for what it requires at v0.0.0; published, they have its minor version.
 */
export function replacements(goMod: string, version: string): string[] {
  const lines = goMod.matchAll(/^(?:replace\s+|\s+)(\S+)(?: (v\S+))? => (\S+)(?: (v\S+))?\s*(?:\/\/.*)?$/gm)
  return [...lines].flatMap(([, from, only, to, at]) => {
    const replaced = only === undefined ? from : `${from}@${only}`
    if (at !== undefined) return [`${replaced}=${to}@${at}`]
    return to?.startsWith('./staging/') ? [`${from}=${from}@${version.replace(/^v1\./, 'v0.')}`] : []
  })
}

function build(program: GoProgram, work: string, output: string, until: number): void {
  // A module with `replace` lines cannot be installed by its name alone: it is built as a dependency of an empty one.
  const go = (...argv: string[]): string =>
    execFileSync('go', argv, {
      cwd: work,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        GOFLAGS: `${process.env.GOFLAGS ?? ''} -mod=mod`.trim(),
        CGO_ENABLED: '0',
        GOTOOLCHAIN: 'auto',
        GOWORK: 'off',
      },
      maxBuffer: 64 << 20,
      timeout: Math.max(1, until - Date.now()),
    })
  mkdirSync(work, { recursive: true })
  go('mod', 'init', 'tool')
  const { module, version } = program
  const found = JSON.parse(go('mod', 'download', '-json', `${module}@${version}`)) as {
    GoMod: string
    GoVersion?: string
  }
  for (const replacement of replacements(readFileSync(found.GoMod, 'utf8'), version))
    go('mod', 'edit', `-replace=${replacement}`)
  go('get', `${program.package}@${version}`)
  const variables = Object.entries(program.stamp ?? {}).map(([variable, value]) => `-X ${variable}=${value}`)
  const flags = ['-trimpath', '-buildvcs=false', `-ldflags=${['-s -w', ...variables].join(' ')}`]
  go('build', ...flags, '-o', output, program.package)
}
