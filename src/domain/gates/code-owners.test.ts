import { describe, expect, it } from 'vitest'
import { ownerGroupsOf, parseCodeOwners } from './code-owners.ts'
import { stopwatch } from '../stopwatch.testing.ts'

const owners = (text: string, path: string) =>
  ownerGroupsOf(parseCodeOwners(text), path).flatMap((group) => group.owners.map(({ kind, name }) => `${kind}:${name}`))

describe('patterns', () => {
  it.each([
    ['*', 'a/b/c.txt'],
    ['*.js', 'src/deep/x.js'],
    ['/build/logs/', 'build/logs/a/b.txt'],
    ['apps/', 'x/apps/y/z'],
    ['secrets/', 'secrets/secrets'],
    ['secrets/', 'x/secrets/y/secrets'],
    ['/docs/', 'docs/a.md'],
    ['docs/*', 'docs/getting-started.md'],
    ['/apps/github', 'apps/github'],
    ['/apps/github', 'apps/github/main.go'],
    ['**/logs', 'build/logs/x'],
    ['docs/**/*.md', 'docs/a/b/c.md'],
    ['docs/**/*.md', 'docs/c.md'],
    ['Makefile', 'sub/Makefile'],
    ['my\\ folder/', 'my folder/x'],
    ['\\#notes', '#notes'],
    ['.github/', '.github/workflows/x.yml'],
  ])('%s owns %s', (pattern, path) => expect(owners(`${pattern} @ann`, path)).toEqual(['user:ann']))

  it.each([
    ['docs/*', 'docs/build-app/troubleshooting.md'],
    ['/build/logs/', 'src/build/logs/x'],
    ['/apps/github/', 'apps/github'],
    ['secrets/', 'x/secrets'],
    ['*.js', 'x.jsx'],
    ['Makefile', 'Makefile.am'],
  ])('%s does not own %s', (pattern, path) => expect(owners(`${pattern} @ann`, path)).toEqual([]))
})

describe('rules', () => {
  it('the last one that matches wins, also with no owners', () => {
    const text = '* @all\n/apps/ @apps\n/apps/free/\n'
    expect(owners(text, 'x')).toEqual(['user:all'])
    expect(owners(text, 'apps/x')).toEqual(['user:apps'])
    expect(owners(text, 'apps/free/x')).toEqual([])
  })

  it('knows users, teams and addresses, each once', () => {
    expect(owners('* @ann @org/platform team:db @@maintainer ann@example.org @ann user:bob # why @not', 'x')).toEqual([
      'user:ann',
      'team:org/platform',
      'team:db',
      'team:maintainer',
      'email:ann@example.org',
      'user:bob',
    ])
  })

  it('comments, blank lines, CRLF and a BOM are nothing', () => {
    expect(owners('\uFEFF# top\r\n\r\n  * @ann # all\r\n', 'x')).toEqual(['user:ann'])
  })
})

describe('sections', () => {
  const text = `* @all
[Database][2] @dba
db/
*.sql @ann
^[Docs]
*.md @writer
[database]
db/free/ @bob
`
  it('override inside, add up between; default owners; optional ones ask nobody', () => {
    expect(owners(text, 'db/x')).toEqual(['user:all', 'user:dba'])
    expect(owners(text, 'db/x.sql')).toEqual(['user:all', 'user:ann'])
    expect(owners(text, 'db/free/x')).toEqual(['user:all', 'user:bob'])
    expect(ownerGroupsOf(parseCodeOwners(text), 'db/x')).toEqual([
      { section: null, needed: 1, owners: [{ kind: 'user', name: 'all' }] },
      { section: 'Database', needed: 2, owners: [{ kind: 'user', name: 'dba' }] },
    ])
    expect(owners(text, 'README.md')).toEqual(['user:all'])
    expect(parseCodeOwners(text).rules.find(({ pattern }) => pattern === '*.md')).toMatchObject({
      optional: true,
      section: 'Docs',
      line: 6,
    })
  })
})

describe('the number of approvals of a section', () => {
  const needed = (text: string) => ownerGroupsOf(parseCodeOwners(text), 'x').map((group) => group.needed)

  it('is one unless it says more, and each opening of a section has its own', () => {
    expect(needed('[A] @a\n*\n[B][3] @b\n*\n')).toEqual([1, 3])
    expect(needed('[A][2] @a\ny\n[a] @a\n*\n')).toEqual([1])
    expect(needed('^[A][2] @a\n*\n')).toEqual([])
  })

  it.each(['0', '-1', 'two', '', '1000'])('[%s] is reported, and one is asked for', (count) => {
    const text = `[A][${count}] @a\n*\n`
    expect(parseCodeOwners(text).problems).toMatchObject([{ line: 1, message: expect.stringContaining('approvals') }])
    expect(needed(text)).toEqual([1])
  })
})

describe('bad lines', () => {
  it('are reported and own nothing; the rest stays', () => {
    const parsed = parseCodeOwners('!x @ann\n*.[ch] @ann\na*b*c*d @ann\n* nobody @bob\n')
    expect(parsed.problems.map(({ line }) => line)).toEqual([1, 2, 3, 4])
    expect(ownerGroupsOf(parsed, 'x.c')).toMatchObject([{ owners: [{ kind: 'user', name: 'bob' }] }])
  })

  it('a heading that is not closed is a bad pattern', () => {
    expect(parseCodeOwners('[Docs\n* @ann\n').problems).toHaveLength(1)
  })

  it('size is bounded', () => {
    expect(parseCodeOwners('x'.repeat(2 ** 21)).problems).toHaveLength(1)
    const many = parseCodeOwners('* @a\n'.repeat(6000))
    expect(many.rules).toHaveLength(5000)
    const elapsed = stopwatch()
    for (let i = 0; i < 200; i++) ownerGroupsOf(many, `a/b/${i}`)
    for (const hostile of [
      ' '.repeat(500_000),
      '\\ '.repeat(250_000),
      `[${'['.repeat(500_000)}`,
      `* ${'@'.repeat(500_000)}`,
    ])
      parseCodeOwners(hostile)
    expect(elapsed()).toBeLessThan(3000)
  })
})
