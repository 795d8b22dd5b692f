import { describe, expect, it } from 'vitest'
import { OWNER_FILES, type OwnersDialect, ownerGroupsOf, parseCodeOwners } from './code-owners.ts'

const DIALECTS = ['github', 'gitlab', 'gitea'] as const

/** Who owns a file, each group in its own brackets: `[a b] [c]`. */
function ownersOf(dialect: OwnersDialect, text: string, path: string): string {
  const groups = ownerGroupsOf(parseCodeOwners(text, dialect), path)
  return groups
    .map(({ owners, needed }) => `[${owners.map(({ name }) => name).join(' ')}]${needed > 1 ? needed : ''}`)
    .join(' ')
}

const linesIn = (dialect: OwnersDialect, text: string): number[] =>
  parseCodeOwners(text, dialect).problems.map(({ line }) => line)

/** One tree and one file, as each forge reads it. */
describe('the same CODEOWNERS', () => {
  const text = [
    '* @all', // 1
    'docs/ @writers/team', // 2
    '*.md @ann ann@example.test', // 3
    'internal/x.txt @inner', // 4
    'bare @bare', // 5
    '!docs/free.md @bob', // 6
    '[Security][2] @lead', // 7
    'iam/', // 8
    'iam/free/ @@maintainers', // 9
    '^[Notes]', // 10
    'notes/ @none', // 11
    '.*\\\\.tf @terra', // 12
    '(?!x)y @look', // 13
    '/top/[a-z].txt nobody', // 14
  ].join('\n')

  it.each<[string, ...string[]]>([
    // path, GitHub, GitLab, Gitea
    ['x', '[all]', '[all]', '[all] [bob]'],
    ['docs/a.txt', '[writers/team]', '[writers/team]', '[all] [bob]'],
    ['sub/docs/a.txt', '[writers/team]', '[writers/team]', '[all] [bob]'],
    ['a.md', '[ann ann@example.test]', '[ann ann@example.test]', '[all] [ann] [bob]'],
    ['docs/free.md', '[ann ann@example.test]', '', '[all] [ann]'],
    ['internal/x.txt', '[inner]', '[inner]', '[all] [inner] [bob]'],
    ['sub/internal/x.txt', '[all]', '[inner]', '[all] [bob]'],
    ['bare', '[bare]', '[bare]', '[all] [bare] [bob]'],
    ['bare/x', '[bare]', '[all]', '[all] [bob]'],
    ['iam/x', '[]', '[all] [lead]2', '[all] [bob]'],
    ['iam/free/x', '[]', '[all] [maintainer]2', '[all] [bob]'],
    ['notes/x', '[none]', '[all]', '[all] [bob]'],
    ['main.tf', '[all]', '[all]', '[all] [bob] [terra]'],
    ['sub/main.tf', '[all]', '[all]', '[all] [bob] [terra]'],
  ])('%s', (path, ...expected) => {
    const read = DIALECTS.map((dialect) => ownersOf(dialect, text, path))
    expect(read).toEqual(expected.map((each) => (each === '[]' ? '' : each)))
  })

  it('has lines that only some of them can read', () => {
    expect(Object.fromEntries(DIALECTS.map((dialect) => [dialect, linesIn(dialect, text)]))).toEqual({
      // Negation, headings, roles, ranges.
      github: [6, 7, 9, 10, 14],
      gitlab: [14],
      // An address and a role are nobody; no owner behind `iam/` and `^[Notes]`; looking around.
      gitea: [3, 8, 9, 10, 13],
    })
  })
})

describe('GitLab', () => {
  it('leaves out in a section what it excludes there, whatever follows', () => {
    const text = '* @all\n[Ruby]\n*.rb @ruby\n!/config/**/*.rb\n/config/a.rb @again\n'
    expect(ownersOf('gitlab', text, 'lib/x.rb')).toBe('[all] [ruby]')
    expect(ownersOf('gitlab', text, 'config/a.rb')).toBe('[all]')
    expect(ownersOf('gitlab', text, 'config/deep/b.rb')).toBe('[all]')
  })

  it('knows nested groups, developers and maintainers, and says that owners are not told from these', () => {
    const text = '* @group/sub/deeper @@developer @@maintainer @@owner @@guest\n'
    expect(ownersOf('gitlab', text, 'x')).toBe('[group/sub/deeper contributor maintainer]')
    expect(parseCodeOwners(text, 'gitlab').problems.map(({ message }) => message.slice(0, 9))).toEqual([
      '@@owner: ',
      '"@@guest"',
    ])
  })

  it('means a directory only with a slash behind', () => {
    for (const [pattern, path, owned] of [
      ['/docs/', 'docs/a/b', true],
      ['/docs', 'docs/a', false],
      ['docs/*', 'x/docs/a', true],
      ['docs/*', 'docs/a/b', false],
      ['/docs/**/*.md', 'docs/a.md', true],
    ] as const)
      expect([pattern, path, ownersOf('gitlab', `${pattern} @ann`, path) !== '']).toEqual([pattern, path, owned])
  })
})

describe('Gitea', () => {
  it('reads expressions word by word: a backslash is gone, and has to stand twice', () => {
    expect(ownersOf('gitea', 'docs/.*\\\\.md ada org/team # not @eve', 'docs/a.md')).toBe('[ada org/team]')
    expect(ownersOf('gitea', 'a\\ b.* @ada', 'a bc')).toBe('[ada]')
    expect(ownersOf('gitea', '/docs/x @ada', 'docs/x')).toBe('[ada]')
    expect(ownersOf('gitea', 'a.md @ada', 'xa.md')).toBe('')
    // Anchors belong to the first and the last alternative only, there as here.
    expect(ownersOf('gitea', 'a|b @ada', 'xb')).toBe('[ada]')
    expect(ownersOf('gitea', '!src/.* @ada', 'docs/x')).toBe('[ada]')
  })

  it('is read in a time that no expression can make long', () => {
    const groups = ownerGroupsOf(parseCodeOwners('(a+)+b @ada\n(a|aa)+c @ada\n', 'gitea'), 'a'.repeat(4000))
    expect(groups).toEqual([])
  })
})

it('is looked for where each of them looks, first come first read', () => {
  expect(DIALECTS.map((dialect) => OWNER_FILES[dialect][0])).toEqual(['.github/CODEOWNERS', 'CODEOWNERS', 'CODEOWNERS'])
  expect(OWNER_FILES.gitlab).toEqual(['CODEOWNERS', 'docs/CODEOWNERS', '.gitlab/CODEOWNERS'])
})
