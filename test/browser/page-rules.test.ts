import { describe, expect, it } from 'vitest'
import { StackState } from '../../src/server/schemas/stacks.ts'
import { stateLook, STATES } from '../../web/src/text.ts'
import { readRules, typed } from '../../web/src/pages/settings/group-rules.ts'
import { lineEndOf, newLine } from '../../web/src/pages/mr/line-ends.ts'
import { type Run, whyNotApprove, whyNotRetry } from '../../web/src/pages/run-many-rules.ts'
import { groupOf, type Resource, treeOf } from '../../web/src/pages/stack/resource-tree.ts'

describe('the states of a stack', () => {
  it('have each a word, a shape and a meaning of their own, all that the server tells', () => {
    expect([...STATES].sort()).toEqual([...StackState.options].sort())
    const looks = STATES.map(stateLook)
    for (const part of ['label', 'shape', 'meaning'] as const)
      expect(new Set(looks.map((look) => look[part])).size).toBe(STATES.length)
  })
})

describe('acts on many runs', () => {
  const run = (id: string, more: Partial<Run> = {}): Run =>
    ({ id, stackId: 's', kind: 'deploy', createdAt: 1, retryOf: null, planDigest: 'd', summary: null, ...more }) as Run

  it('try the newest of the same work again, and each once', () => {
    const [older, newer, other] = [run('a'), run('b', { createdAt: 2 }), run('c', { kind: 'heal' })]
    expect([older, newer, other].map((each) => whyNotRetry(each, [older, newer, other]))).toEqual([
      expect.stringContaining('a newer one'),
      null,
      null,
    ])
    expect(whyNotRetry(older, [older, run('d', { retryOf: 'a', stackId: 'x' })])).toContain('tried again already')
  })

  it('approve what has a plan that destroys nothing', () => {
    const summary = { create: 1, update: 0, replace: 0, delete: 0 } as unknown as Run['summary']
    expect(whyNotApprove(run('a', { summary }))).toBeNull()
    expect(whyNotApprove(run('a', { planDigest: null }))).toContain('no plan')
    for (const destroys of ['replace', 'delete'])
      expect(whyNotApprove(run('a', { summary: { ...summary!, [destroys]: 1 } }))).toContain('destroys')
  })
})

describe('what groups of a provider give', () => {
  it('is read as it was written', () => {
    const rules = [
      { group: 'ops', admin: true as const },
      { group: '*', teams: ['a', 'b'], roles: { shop: 'reader' as const, infra: 'deployer' as const } },
    ]
    expect(readRules(rules.map(typed))).toEqual({ rules })
  })

  it.each([
    [{ group: ' ', roles: '' }, 'names no group'],
    [{ group: 'a', roles: 'shop: king' }, '“shop: king” is not'],
    [{ group: 'a', roles: 'shop: reader, infra' }, '“infra” is not'],
  ])('is refused with what is wrong in it: %j', (rule, wrong) => {
    expect(readRules([{ admin: false, teams: '', ...rule }])).toEqual({ wrong: expect.stringContaining(wrong) })
  })
})

describe('the text of a file in a browser', () => {
  it.each([
    ['', '\n'],
    ['a\nb\n', '\n'],
    ['a\r\nb\r\n', '\r\n'],
    ['a\r\nb\n', null],
    ['a\rb', null],
    ['a\r\r\nb', null],
  ])('%j ends its lines with %j', (text, expected) => {
    expect(lineEndOf(text)).toBe(expected)
  })

  it('is found by the number of a line of the new side', () => {
    const hunks = '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n@@ -9 +10,2 @@ x\n i\n+j\n'
    expect([1, 2, 3, 4, 10, 11].map((line) => newLine(hunks, line))).toEqual(['a', 'B', 'c', null, 'i', 'j'])
  })
})

describe('the graph of resources', () => {
  it.each([
    ['/etc/nginx/nginx.conf', '/etc/nginx'],
    ['web-1: Install nginx', 'web-1'],
    ['index.html', 'index.html'],
    ['thing', 'thing'],
    ['aws_instance.web[0]', 'aws_instance', true],
    ['module.net.aws_subnet.a["eu.west"]', 'module.net.aws_subnet', true],
  ])('holds %s in %s', (address, group, dotted = false) => {
    expect(groupOf(address, dotted)).toBe(group)
  })

  it('draws what is ill, sums up the healthy of a large group until asked, and draws what needs what', () => {
    const resources = Array.from(
      { length: 1_000 },
      (_, at): Resource => ({ address: `a.r[${at}]`, health: at < 3 ? 'drifted' : 'ok', why: null, run: null }),
    )
    const needs = new Map([['a.r[1]', ['a.r']]])
    const { nodes, edges } = treeOf(resources, new Set(), needs, true)
    expect(nodes.map(({ kind }) => kind)).toEqual(['group', 'resource', 'resource', 'resource', 'rest'])
    expect(nodes.at(-1)).toMatchObject({ label: 'and 997 more', count: 997 })
    expect(nodes[0]).toMatchObject({ health: 'drifted', count: 1_000 })
    expect(edges.filter(({ kind }) => kind === 'needs').map(({ from }) => from)).toEqual(['a.r[0]', 'a.r[2]'])
    expect(treeOf(resources, new Set(['a']), needs, true).nodes).toHaveLength(1_001)
  })
})
