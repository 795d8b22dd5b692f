import { readFile } from 'node:fs/promises'
import { join, posix, relative } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { CloudFormationConfig } from '../config.ts'
import { insideWorkspace } from '../../paths/inside.ts'
import { parseTemplate, type Template } from '../template/parse.ts'

/** Names under which a template is looked for where the stack names none. */
export const DEFAULT_TEMPLATES = ['template.yaml', 'template.yml', 'template.json'] as const

/** A template and where it lies: `file` absolute, `path` from the repository's root. */
export interface SourceTemplate extends Template {
  file: string
  path: string
}

/** Reads the stack's template. SOURCE_INVALID where it is missing or cannot be read. */
export async function readTemplate(context: DriverContext<CloudFormationConfig>): Promise<SourceTemplate> {
  const wanted = context.config.template
  const names = wanted === undefined ? DEFAULT_TEMPLATES : [wanted]
  for (const name of names) {
    const file = await insideWorkspace(context, name)
    const text = await readFile(file, 'utf8').catch(() => null)
    if (text !== null) return at(context, file, text)
  }
  throw new TrueupError('SOURCE_INVALID', {
    doing: `looking for the template of stack "${context.stack.name}"`,
    why: `${join(context.stack.path, names[0] ?? '')} does not exist${names.length > 1 ? `, nor ${names.slice(1).join(' or ')}` : ''}`,
    next: 'Name the template in `with.template`, relative to the stack’s directory.',
  })
}

/** Reads a template that another names, relative to that one. */
export async function readNested(
  context: DriverContext<unknown>,
  parent: SourceTemplate,
  path: string,
): Promise<SourceTemplate> {
  const file = await insideWorkspace(context, path, join(parent.file, '..'))
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text !== null) return at(context, file, text)
  throw new TrueupError('SOURCE_INVALID', {
    doing: `reading the nested template "${path}"`,
    why: `${parent.path} names it, and it does not exist`,
  })
}

function at(context: DriverContext<unknown>, file: string, text: string): SourceTemplate {
  const path = relative(context.workspace, file).split('\\').join(posix.sep)
  return { ...parseTemplate(text, path), file, path }
}
