/** Writes how `trueup init` does on the estates of test/init into docs/init.md; `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { estates, scoreOf, type Score } from '../test/init/score.ts'

const BEGIN = '<!-- score: scripts/generate-init-score.ts -->'
const END = '<!-- end of score -->'
const file = join(import.meta.dirname, '..', 'docs', 'init.md')

const scores: Score[] = []
for (const { kind, estate } of estates()) scores.push(await scoreOf(kind, estate))
const page = readFileSync(file, 'utf8')
const [before, rest] = page.split(BEGIN)
const after = rest?.split(END)[1]
if (before === undefined || after === undefined) throw new Error(`docs/init.md lacks ${BEGIN} and ${END}`)
const wanted = `${before}${BEGIN}\n\n${table(scores)}\n\n${END}${after}`
if (page !== wanted) {
  if (process.argv.includes('--check')) {
    console.error('docs/init.md is not up to date: run "npm run generate"')
    process.exit(1)
  }
  writeFileSync(file, wanted)
}

function table(all: readonly Score[]): string {
  const kinds = [...Map.groupBy(all, ({ kind }) => kind)].map(([kind, scores]) => row(kind, scores))
  return [
    '| kind | estates | right | missing | bogus | dangerous |',
    '|---|--:|--:|--:|--:|--:|',
    ...kinds,
    row('all', all),
  ].join('\n')
}

function row(kind: string, scores: readonly Score[]): string {
  const count = (of: (score: Score) => string[]): number => scores.flatMap(of).length
  const cells = [count((s) => s.right), count((s) => s.missing), count((s) => s.bogus), count((s) => s.dangerous)]
  return `| ${kind} | ${scores.length} | ${cells.join(' | ')} |`
}
