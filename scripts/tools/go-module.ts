import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { madeOnce } from './cache.ts'

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

/** Whether there is a Go that can build modules of today: 1.21 was the first that fetches a newer toolchain by itself. */
export function canBuildGo(): boolean {
  try {
    const said = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const minor = Number(/^go1\.(\d+)/.exec(said.trim())?.[1])
    return minor >= 21
  } catch {
    return false
  }
}

/** Builds the program from its published module and answers the directory that holds it; what was built stays. */
export function buildGoProgram(program: GoProgram): string {
  return madeOnce(`${program.name}-${program.version}`, (directory) => {
    const work = mkdtempSync(join(tmpdir(), 'trueup-go-'))
    try {
      build(program, work, join(directory, program.name))
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  })
}

function build(program: GoProgram, work: string, output: string): void {
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
      timeout: 60 * 60_000,
    })
  mkdirSync(work, { recursive: true })
  go('mod', 'init', 'tool')
  const { module, version } = program
  const found = JSON.parse(go('mod', 'download', '-json', `${module}@${version}`)) as {
    GoMod: string
    GoVersion?: string
  }
  // Kubernetes requires its staging modules at v0.0.0 and replaces them by directories; published, they have its minor version.
  const staging = readFileSync(found.GoMod, 'utf8').matchAll(/^\s+(k8s\.io\/\S+) v0\.0\.0$/gm)
  for (const [, name] of staging) go('mod', 'edit', `-replace=${name}=${name}@${version.replace(/^v1\./, 'v0.')}`)
  go('get', `${program.package}@${version}`)
  const variables = Object.entries(program.stamp ?? {}).map(([variable, value]) => `-X ${variable}=${value}`)
  const flags = ['-trimpath', '-buildvcs=false', `-ldflags=${['-s -w', ...variables].join(' ')}`]
  go('build', ...flags, '-o', output, program.package)
}
