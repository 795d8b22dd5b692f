import { expect, it } from 'vitest'
import { filterStacks } from './filter.ts'
import { commandsIn } from './parse.ts'

const verbs = (comment: string): string[] =>
  commandsIn(comment).map((command) => ('verb' in command ? command.verb : `bad: ${command.why}`))

it('takes lines of what is said', () => {
  expect(verbs('/trueup plan')).toEqual(['plan'])
  expect(verbs('/trueup')).toEqual(['help'])
  expect(verbs('/trueup PLAN\r\n/trueup approve\r\n')).toEqual(['plan', 'approve'])
  expect(verbs('Looks *good*.\n  /trueup apply\nThanks!')).toEqual(['apply'])
  expect(verbs('> what they said\n\n/trueup plan')).toEqual(['plan'])
  expect(verbs('```\ncode\n```\n/trueup plan')).toEqual(['plan'])
})

it.each([
  ['a quote', '> /trueup apply'],
  ['a quote that goes on without its mark', '> they wrote\n/trueup apply'],
  ['a quote of GitLab', '>>>\n/trueup apply\n\n/trueup apply\n>>>'],
  ['a fence', '```\n/trueup apply\n```'],
  ['a fence of tildes', '~~~sh\n/trueup apply\n~~~'],
  ['a fence in a longer one', '````\n```\n/trueup apply\n```\n````'],
  ['a fence that is never closed', '```\n/trueup apply'],
  ['indented code', '    /trueup apply'],
  ['indented code by a tab', '\t/trueup apply'],
  ['a span of code', '`/trueup apply`'],
  ['a span of code over lines', 'so `this\n/trueup apply\nis` it'],
  ['a list', '- /trueup apply'],
  ['a list that goes on', '- do\n/trueup apply'],
  ['a heading', '# /trueup apply'],
  ['HTML', '<details>\n/trueup apply\n</details>'],
  ['a comment of HTML', '<!--\n\n/trueup apply\n\n-->'],
  ['strong text', '**bold\n/trueup apply**'],
  ['a link', '[a\n/trueup apply](https://example.test)'],
  ['the middle of a line', 'please /trueup apply'],
  ['another word', '/trueuply apply'],
  ['an escaped line', '\\/trueup apply'],
  ['a very long comment', `/trueup apply\n\n${'x '.repeat(11_000)}`],
])('%s commands nothing', (_name, comment) => {
  expect(commandsIn(comment)).toEqual([])
})

it('reads filters and reasons', () => {
  expect(commandsIn('/trueup plan production/web-* db -e staging --environment=prod* --reason it  is late')).toEqual([
    {
      verb: 'plan',
      stacks: ['production/web-*', 'db'],
      environments: ['staging', 'prod*'],
      reason: 'it  is late',
      text: '/trueup plan production/web-* db -e staging --environment=prod* --reason it  is late',
    },
  ])
})

it('says what is wrong with a command', () => {
  expect(verbs('/trueup deploy')).toEqual([expect.stringContaining('no such command')])
  expect(verbs('/trueup plan --force')).toEqual([expect.stringContaining('no option `--force`')])
  expect(verbs('/trueup plan -e')).toEqual([expect.stringContaining('names no environment')])
  expect(verbs('/trueup plan a*b*c*d')).toEqual([expect.stringContaining('more than 2')])
  expect(verbs(`/trueup plan ${'a '.repeat(21)}`)).toEqual([expect.stringContaining('more than 20')])
  expect(verbs('/trueup plan\n'.repeat(6))).toEqual([expect.stringContaining('5 commands')])
})

it('means the stacks that fit, and tells patterns that fit none', () => {
  const all = [
    { environment: 'staging', name: 'web' },
    { environment: 'production', name: 'web' },
    { environment: 'production', name: 'net/core' },
  ]
  const keys = (stacks: string[], environments: string[] = []) => {
    const { selected, unmatched } = filterStacks({ stacks, environments }, all)
    return [selected.map(({ environment, name }) => `${environment}/${name}`), unmatched]
  }
  expect(keys([])).toEqual([['staging/web', 'production/web', 'production/net/core'], []])
  expect(keys(['web'], ['production'])).toEqual([['production/web'], []])
  expect(keys(['net/*'])).toEqual([['production/net/core'], []])
  expect(keys(['production/**', 'nothing'])).toEqual([['production/web', 'production/net/core'], ['nothing']])
  expect(keys([], ['test'])).toEqual([[], ['test']])
})
