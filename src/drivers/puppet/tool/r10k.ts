import { createHash } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { checkEnded, lastWords, toolFailed } from '../../tools/verdict.ts'
import type { PuppetConfig } from '../config.ts'
import type { PuppetSource } from '../source/source.ts'
import { gitAccess } from './git-access.ts'
import { findR10k } from './tool.ts'

/**
 * Installs the modules of the stack's Puppetfile into the worker's cache, once for each content of the file, and gives their
 * directory. Null where there is no Puppetfile, or all its modules lie in the repository already.
 * @throws TOOL_MISSING for r10k, SOURCE_INVALID for a Puppetfile it cannot read, TOOL_FAILED where modules cannot be had
 */
export async function installModules(
  context: DriverContext<PuppetConfig>,
  source: PuppetSource,
): Promise<string | null> {
  if (source.puppetfile === null) return null
  const file = join(context.workspace, source.puppetfile)
  const text = await readFile(file, 'utf8')
  const missing = await missingModules(context, source, text)
  if (missing.length === 0) return null

  const r10k = await findR10k(context)
  const key = createHash('sha256').update(`${r10k.version}\n${text}`).digest('hex').slice(0, 32)
  const modules = join(context.cache, 'puppetfile', key)
  if (await exists(modules)) return modules
  const arriving = join(context.cache, 'puppetfile', `.${key}-${process.pid}`)
  await mkdir(arriving, { recursive: true, mode: 0o700 })
  try {
    await install(context, r10k.path, { file, arriving, missing, puppetfile: source.puppetfile })
    await rename(arriving, modules).catch(async (thrown: unknown) => {
      // Another run of this stack was faster.
      if (!(await exists(modules))) throw thrown
    })
    return modules
  } finally {
    await rm(arriving, { recursive: true, force: true })
  }
}

interface Wanted {
  file: string
  arriving: string
  missing: string[]
  puppetfile: string
}

async function install(
  context: DriverContext<PuppetConfig>,
  r10k: string,
  { file, arriving, missing, puppetfile }: Wanted,
): Promise<void> {
  const doing = `installing the modules of ${puppetfile} with r10k`
  const config = join(context.scratch, 'r10k.yaml')
  await writeFile(config, JSON.stringify({ cachedir: join(context.cache, 'r10k') }))
  const result = await context.run({
    argv: [r10k, 'puppetfile', 'install', '--config', config, '--puppetfile', file, '--moduledir', arriving],
    cwd: context.scratch,
    env: { ...context.env, ...(await gitAccess(context)) },
    timeoutMs: 600_000,
  })
  checkEnded(doing, result)
  if (result.exitCode === 0) return
  if (/SyntaxError|syntax error|Failed to evaluate/i.test(result.stderr)) {
    throw new TrueupError('SOURCE_INVALID', { doing, why: lastWords(result), details: { file: puppetfile } })
  }
  const failed = toolFailed(doing, result)
  throw new TrueupError('TOOL_FAILED', {
    ...failed.text,
    next: `The worker must reach the Forge or the Git servers that the Puppetfile names, private ones with "puppetfileAccess"; else commit ${missing.join(', ')} into the stack's "modules" directory, and they are taken from there.`,
  })
}

/** Modules that the file names and no directory of the module path has. */
async function missingModules(
  { workspace }: DriverContext<unknown>,
  { modulepath }: PuppetSource,
  puppetfile: string,
): Promise<string[]> {
  const names = [...puppetfile.matchAll(/^\s*mod\s*\(?\s*['"](?:[\w-]+[/-])?(\w+)['"]/gm)].map((match) => match[1]!)
  const present = await Promise.all(modulepath.map((path) => readdir(join(workspace, path)).catch(() => [])))
  return [...new Set(names)].filter((name) => !present.flat().includes(name))
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
