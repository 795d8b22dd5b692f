import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

export interface Page {
  /** From the root of the repository. */
  path: string
  text: string
}

/** Every document that people read. */
export function pages(): Page[] {
  const paths = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'src/**/README.md', 'bench/**/*.md'], {
    cwd: ROOT,
  })
  return paths.sort().map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** A piece of code in a page. `language` is empty for one without, and for indented ones. */
export interface Code {
  language: string
  text: string
}

/** Fenced and indented blocks of code. Blocks inside of list items are found by their fences only. */
export function codeBlocks({ text }: Page): Code[] {
  const fenced = [...text.matchAll(FENCE)].map(([, language = '', body = '']) => ({ language, text: body }))
  const indented = [...text.replaceAll(FENCE, '\n').matchAll(/(?<=\n\n)(?: {4}.*\n(?:\n(?= {4}))?)+/g)]
  return [...fenced, ...indented.map(([body]) => ({ language: '', text: body.replaceAll(/^ {4}/gm, '') }))]
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm

/** Texts between backticks in the prose of a page. */
export function inlineCode({ text }: Page): string[] {
  return [...text.replaceAll(FENCE, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
}
