import { spawnSync } from 'node:child_process'
import { accessSync, constants, globSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { coerce, gte } from 'semver'
import { describe } from 'vitest'

/** Directory into which `npm run tools` puts what is not on PATH; not in Git. */
export const toolsDirectory = join(dirname(dirname(fileURLToPath(import.meta.url))), '.tools', 'bin')

/**
 * Where tools stay that took long to make, beside all checkouts: a fresh clone on the same machine does not make them
 * again. `TRUEUP_TOOLS_CACHE` puts it elsewhere; removing it costs only time.
 */
export const toolsCache =
  process.env.TRUEUP_TOOLS_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trueup', 'tools')

export interface FoundTool {
  path: string
  version: string
}

/** How each tool tells its version: arguments, and the first match of the pattern in what it prints. */
const VERSION_ARGUMENTS: { readonly [tool: string]: readonly string[] } = {
  terraform: ['version'],
  tofu: ['version'],
  ip: ['-V'],
  nginx: ['-v'],
  ssh: ['-V'],
  r10k: ['version'],
  eyaml: ['version'],
  kubectl: ['version', '--client'],
  helm: ['version', '--short'],
  kustomize: ['version'],
  rsync: ['--version'],
}
/** Programs that end with an error when they are asked, or take seconds to answer: that they are there is enough. */
const NOT_ASKED = new Set(['sshd', 'moto_server'])
/** Where daemons are, which a person's PATH often leaves out; looked up each time, since one may have been installed just now. */
const systemDirectories = (): string[] => ['/usr/sbin', '/sbin', ...globSync('/usr/lib/postgresql/*/bin').toReversed()]
const VERSION = /(\d+\.\d+(?:\.\d+)?[\w.+-]*)/
const found = new Map<string, FoundTool | null>()

/** Looks for a tool on PATH, then in `.tools/bin`. Null where it is nowhere, or does not start. */
export function findTool(name: string): FoundTool | null {
  const known = found.get(name)
  if (known !== undefined) return known
  const directories = [...(process.env.PATH ?? '').split(delimiter), toolsDirectory, ...systemDirectories()]
  const path = directories.map((directory) => join(directory, name)).find(isExecutable)
  const tool = path === undefined ? null : withVersion(name, path)
  found.set(name, tool)
  return tool
}

/**
 * A tool of at least this version, for tests of what older ones cannot do: the one that `findTool` finds where it is new
 * enough, else one that `npm run tools -- --newest` has made. Null where neither is.
 */
export function findNewTool(name: string, atLeast: string): FoundTool | null {
  const fits = (tool: FoundTool | null): boolean => tool !== null && gte(coerce(tool.version) ?? '0.0.0', atLeast)
  const usual = findTool(name)
  if (fits(usual)) return usual
  for (const path of globSync(join(toolsCache, `${name}-v*`, name))) {
    const made = withVersion(name, path)
    if (fits(made)) return made
  }
  return null
}

/** `describe` for tests of what only a tool of at least this version can do; named as skipped where there is none. */
export function describeWithNewTool(
  name: string,
  atLeast: string,
  title: string,
  suite: (tool: FoundTool) => void,
): void {
  const tool = findNewTool(name, atLeast)
  if (tool !== null) describe(`${title} (${name} ${tool.version})`, () => suite(tool))
  else
    describe.skip(`${title} (skipped: no ${name} ${atLeast} or newer, "npm run tools -- --newest" makes one)`, () =>
      suite({ path: name, version: atLeast }))
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

/** The tool at this very path. Null where it does not start. */
export const toolAt = (path: string): FoundTool | null =>
  isExecutable(path) ? withVersion(basename(path), path) : null

function withVersion(name: string, path: string): FoundTool | null {
  if (NOT_ASKED.has(name)) return { path, version: 'unknown' }
  const { status, stdout, stderr } = spawnSync(path, VERSION_ARGUMENTS[name] ?? ['--version'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: tmpdir(), CHECKPOINT_DISABLE: '1' },
    timeout: 120_000,
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
