import { expect, it } from 'vitest'
import { strayStrings } from './check-strings.ts'

const found = (source: string) =>
  strayStrings('web/src/pages/some.tsx', source).map((line) => line.split(' ').slice(1).join(' '))

it.each([
  ['text between tags', 'const a = <p>Hello {name}</p>', ['"Hello"']],
  ['a choice of words', "const a = <p>{n === 1 ? 'one stack' : t.many}</p>", ['"one stack"']],
  [
    'what is read of an element',
    'const a = <input placeholder="name" aria-label={`Name of ${x}`} />',
    ['"name"', '"Name of §"'],
  ],
  ['what is read of a component', 'const a = <Act label="Heal" done={t.done} />', ['"Heal"']],
  ['a sentence in code', "const why = may ? null : 'You may not do that'", ['"You may not do that"']],
  ['a word in code', "const names = { queued: 'Queue' }", ['"Queue"']],
])('finds %s', (_what, source, expected) => {
  expect(found(source)).toEqual(expected)
})

it.each([
  ['commands', 'const a = <Line command={`trueup heal ${key} --repo x`} />'],
  ['code', 'const a = <p><code>trueup.yaml</code> <kbd>Enter</kbd></p>'],
  ['classes', 'const a = <p className="flex gap-2">{t.hello}</p>; const look = "flex px-2 hover:underline"'],
  ['what is compared', "if (event.key === 'Escape' || state === 'Some state') act()"],
  ['modules and types', "import { a } from './some where.ts'; type A = 'Some words' | 'Other'"],
  ['marks', 'const a = <p>·</p>'],
])('lets %s be', (_what, source) => {
  expect(found(source)).toEqual([])
})

it('lets the words themselves be', () => {
  expect(strayStrings('web/src/strings/some.ts', "export const t = { hello: 'Hello there' }")).toEqual([])
})
