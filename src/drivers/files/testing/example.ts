import { cpSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { TrueupConfig } from '../../../domain/config/schema.ts'
import { FilesConfig } from '../config.ts'
import { type FilesTest, filesTest } from './stack.ts'

/**
 * A stack of a repository in examples/, with its target `as` moved under the test's own directory, and everything else that
 * the example puts below /tmp/trueup-example too.
 */
export async function exampleStack(example: string, path: string, as: string): Promise<FilesTest> {
  const source = new URL(`../../../../examples/${example}`, import.meta.url).pathname
  const text = await readFile(join(source, 'trueup.yaml'), 'utf8')
  const stack = TrueupConfig.parse(parse(text)).stacks.find((one) => one.path === path)
  if (!stack) throw new Error(`no stack ${path}`)
  const made = await filesTest({ path, missingTarget: as !== '/', env: stack.variables })
  cpSync(source, made.workspace, { recursive: true, verbatimSymlinks: true })
  const moved = JSON.stringify({ ...stack.with, ...(as === '/' && { target: made.target }) })
    .replaceAll(as === '/' ? '\0' : as, made.target)
    .replaceAll('/tmp/trueup-example', made.root)
  const config = FilesConfig.parse(JSON.parse(moved))
  return Object.assign(await made.next({ config }), { target: made.target })
}

/**
 * Puts a stand-in for a program first on the context's PATH: it writes how it was called into `calls`, one line a call, and
 * then runs `script`. For programs that cannot work where tests run (Docker without an engine, systemctl without systemd).
 */
export async function standIn(context: FilesTest, program: string, script = ''): Promise<() => Promise<string[]>> {
  const directory = join(context.root, 'stand-ins')
  const calls = join(context.root, `${program}.calls`)
  await mkdir(directory, { recursive: true })
  const file = join(directory, program)
  await writeFile(file, `#!/bin/sh\necho "$*" >>'${calls}'\n${script}\n`)
  await chmod(file, 0o755)
  if (!context.env.PATH?.startsWith(`${directory}:`)) context.env.PATH = `${directory}:${context.env.PATH}`
  return async () => (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter(Boolean)
}
