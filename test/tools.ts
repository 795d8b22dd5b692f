import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

/** Directory into which `npm run tools` puts what is not on PATH; not in Git. */
export const toolsDirectory = join(dirname(dirname(fileURLToPath(import.meta.url))), '.tools', 'bin')

export interface FoundTool {
  path: string
  version: string
}

/** How each tool tells its version: arguments, and the first match of the pattern in what it prints. */
const VERSION_ARGUMENTS: { readonly [tool: string]: readonly string[] } = {
  terraform: ['version'],
  tofu: ['version'],
  ip: ['-V'],
  ssh: ['-V'],
  r10k: ['version'],
  kubectl: ['version', '--client'],
  helm: ['version', '--short'],
  kustomize: ['version'],
}
/** Programs that end with an error when they are asked, or take seconds to answer: that they are there is enough. */
const NOT_ASKED = new Set(['sshd', 'moto_server'])
/** Where daemons are, which a person's PATH often leaves out. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin']
const VERSION = /(\d+\.\d+(?:\.\d+)?[\w.+-]*)/
const found = new Map<string, FoundTool | null>()

/** Looks for a tool on PATH, then in `.tools/bin`. Null where it is nowhere, or does not start. */
export function findTool(name: string): FoundTool | null {
  const known = found.get(name)
  if (known !== undefined) return known
  const directories = [...(process.env.PATH ?? '').split(delimiter), toolsDirectory, ...SYSTEM_DIRECTORIES]
  const path = directories.map((directory) => join(directory, name)).find(isExecutable)
  const tool = path === undefined ? null : withVersion(name, path)
  found.set(name, tool)
  return tool
}

/** Looks anew: something was installed. */
export function forgetTools(): void {
  found.clear()
}

/** The tool, or an error that says how to get it. */
export function requireTool(name: string): FoundTool {
  const tool = findTool(name)
  if (tool === null) throw new Error(`${name} is neither on PATH nor in .tools/bin: run "npm run tools"`)
  return tool
}

/**
 * `describe` for tests that need a tool. Without it they are skipped and the suite's name says what is missing; where
 * TRUEUP_TEST_FORBID_SKIPS lists the tool (comma separated), the suite fails instead.
 */
export function describeWithTool(name: string, title: string, suite: (tool: FoundTool) => void): void {
  const tool = findTool(name)
  const forbidden = (process.env.TRUEUP_TEST_FORBID_SKIPS ?? '').split(',').includes(name)
  if (tool !== null || forbidden) describe(`${title} (${name})`, () => suite(tool ?? requireTool(name)))
  else
    describe.skip(`${title} (skipped: ${name} is missing, "npm run tools" installs what it can)`, () =>
      suite({ path: name, version: '0.0.0' }))
}

function withVersion(name: string, path: string): FoundTool | null {
  if (NOT_ASKED.has(name)) return { path, version: 'unknown' }
  const { status, stdout, stderr } = spawnSync(path, VERSION_ARGUMENTS[name] ?? ['--version'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: tmpdir(), CHECKPOINT_DISABLE: '1' },
    timeout: 30_000,
  })
  return status === 0 ? { path, version: VERSION.exec(stdout || stderr)?.[1] ?? 'unknown' } : null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
