import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../src/domain/config/parse.ts'
import { commandTree, problemOf, trueupCalls } from './docs/command-lines.ts'
import { codeBlocks, inlineCode, pages, ROOT } from './docs/pages.ts'

const ALL = pages()

describe('links of the documents', () => {
  it.each(ALL)('$path: every link leads somewhere', ({ path, text }) => {
    const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')
    const broken = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !leadsSomewhere(path, target))
    expect(broken).toEqual([])
  })

  it.each(ALL)('$path: every source file it names is there', (page) => {
    const named = inlineCode(page).filter((code) => /^[\w./-]+\/[\w.-]+\.(ts|mjs)$/.test(code))
    const bases = ['', 'src', dirname(page.path)]
    expect(named.filter((path) => !bases.some((base) => existsSync(join(ROOT, base, path))))).toEqual([])
  })

  it('every document can be reached from the README', () => {
    const reached = new Set(['README.md'])
    for (const path of reached) {
      const page = ALL.find((each) => each.path === path)
      for (const [, target = ''] of page?.text.matchAll(/\]\(([^)\s#]+\.md)/g) ?? [])
        if (!/^[a-z]+:/.test(target)) reached.add(normalize(join(dirname(path), target)))
    }
    const documents = ALL.filter(({ path }) => path.startsWith('docs/') || !path.includes('/'))
    expect(documents.filter(({ path }) => !reached.has(path)).map(({ path }) => path)).toEqual([])
  })
})

function leadsSomewhere(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#', 2)
  const file = path === '' ? from : normalize(join(dirname(from), path))
  if (!existsSync(join(ROOT, file))) return false
  return anchor === undefined || anchorsOf(readFileSync(join(ROOT, file), 'utf8')).includes(anchor)
}

/** Anchors as GitHub and GitLab make them of headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )

const program = await commandTree()

describe('command lines of the documents', () => {
  // docs/cli.md is made from the commands themselves.
  const written = ALL.filter(({ path }) => path !== 'docs/cli.md')

  it.each(written)('$path: every call of trueup is one that exists', (page) => {
    const blocks = codeBlocks(page).filter(({ language }) => ['', 'sh', 'console'].includes(language))
    const problems = [
      ...blocks.flatMap(({ text }) => trueupCalls(text).map((words) => ({ words, whole: true }))),
      ...inlineCode(page).flatMap((code) => trueupCalls(code).map((words) => ({ words, whole: false }))),
    ].flatMap(({ words, whole }) => {
      const problem = problemOf(program, words, whole)
      return problem === null ? [] : [`trueup ${words.join(' ')}: ${problem}`]
    })
    expect(problems).toEqual([])
  })

  it('finds calls in shell, and what is wrong with them', () => {
    expect(trueupCalls('BOB=$(trueup token create --name "my laptop")\nX=1 trueup status && trueup up # go')).toEqual([
      ['token', 'create', '--name', 'my laptop'],
      ['status'],
      ['up'],
    ])
    expect(trueupCalls("git config helper '!trueup git-credential'\n$ trueup mr list | head > file")).toEqual([
      ['mr', 'list'],
    ])
    expect(problemOf(program, ['mr', 'shwo', '1'], true)).toBe('there is no command "shwo"')
    expect(problemOf(program, ['mr', 'show', '--all', '1'], true)).toBe('there is no option --all')
    expect(problemOf(program, ['mr', 'close'], true)).toBe('<number> is missing')
    expect(problemOf(program, ['mr', 'list', '--state', 'gone'], true)).toBe('--state does not take "gone"')
    expect(problemOf(program, ['status', 'now'], true)).toBe('"now" is one argument too many')
    expect(problemOf(program, ['mr', 'show', '1', '--wait', '--url', 'http://a', '-o', 'json'], true)).toBe(null)
  })
})

describe('configurations in the documents', () => {
  const examples = ALL.flatMap((page) =>
    codeBlocks(page).flatMap(({ language, text }) => {
      const inShell = [...text.matchAll(/<<'YAML'\n([\s\S]*?)^YAML$/gm)].map(([, body = '']) => body)
      return (language === 'yaml' ? [text, ...inShell] : inShell).map((yaml) => ({ path: page.path, yaml }))
    }),
  ).filter(({ yaml }) => /^version: 1$/m.test(yaml))

  it('there are some', () => expect(examples.length).toBeGreaterThan(5))
  it.each(examples)('$path: an example of trueup.yaml can be read', ({ yaml }) => {
    expect(parseConfig(yaml).version).toBe(1)
  })
})
