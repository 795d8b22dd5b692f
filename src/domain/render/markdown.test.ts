import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GateOutcome } from '../gates/gate.ts'
import { change, plan } from '../plans/fixtures.ts'
import { COMMENT_LIMIT, renderMrComment, type CommentStack } from './markdown.ts'

const stack = (more: Partial<CommentStack> = {}): CommentStack => ({
  environment: 'production',
  name: 'web',
  driver: 'files',
  preview: { state: 'succeeded', message: null },
  plan: plan([change('/etc/motd', [{ path: 'mode', before: '0644', after: '0600' }])]),
  provisional: false,
  policies: [],
  checks: [],
  ...more,
})
const gate = (more: Partial<GateOutcome> = {}): GateOutcome => ({
  mergeable: true,
  requirements: [],
  approvals: {},
  elsewhere: null,
  ...more,
})
const HEAD = 'a'.repeat(40)
const comment = (stacks: CommentStack[], outcome: GateOutcome | null = gate()) =>
  renderMrComment({ headOid: HEAD, plannable: true, stacks, gate: outcome, url: 'https://trueup.example/mr/1' })

/** What is outside of fenced blocks, where Markdown and HTML mean something. */
function outside(text: string): string {
  const kept: string[] = []
  let fence: string | null = null
  for (const line of text.split('\n')) {
    const [, opened] = /^(`{3,})[a-z]*$/.exec(line) ?? []
    if (fence !== null) {
      if (line === fence) fence = null
    } else if (opened !== undefined) fence = opened
    else kept.push(line)
  }
  expect(fence).toBe(null)
  return kept.join('\n')
}

describe('the comment on a merge request', () => {
  it('holds a row and a collapsible plan per stack', () => {
    const approvals = {
      production: {
        satisfied: false,
        required: 2,
        counted: [{ userId: 'a', userName: 'ann', via: 'anyone' }],
        refused: [],
        missing: [],
      },
    }
    const text = comment([stack({ url: 'https://trueup.example/runs/1' })], gate({ approvals }))
    expect(text).toContain('### Trueup: 1 stack affected')
    expect(text).toContain(
      '| production | [web](https://trueup.example/runs/1) | planned | 1 to update | – | 1 of 2, incomplete |',
    )
    expect(text).toContain('<details><summary><b>production / web</b> (files): 1 to update</summary>')
    expect(text).toContain('```diff\n~   /etc/motd  (update)\n~       mode: "0644" → "0600"\n')
    expect(text).toContain('Plan: 1 to update.\n    Checked 1 resource.')
    expect(text).toContain('[Full plans](https://trueup.example/mr/1)')
  })

  it('says what is needed to merge', () => {
    const requirements = [
      {
        name: 'approvals',
        environment: 'production',
        satisfied: false,
        blocking: true,
        message: '1 more approval',
        next: 'Ask for it.',
      },
      { name: 'threads', satisfied: false, blocking: false, message: '2 threads', next: 'Resolve them.' },
      { name: 'config', satisfied: true, blocking: true, message: 'valid', next: null },
    ] as const
    const text = comment([stack()], gate({ mergeable: false, requirements: [...requirements] }))
    expect(text).toContain(
      '**Needed to merge:**\n\n- production: 1 more approval. Ask for it.\n- Note: 2 threads. Resolve them.',
    )
    expect(comment([stack()])).toContain('**Ready to merge.**')
    expect(comment([stack()], null)).not.toContain('merge.**')
  })

  it('shows failed previews, checks with the end of their output, and policies', () => {
    const text = comment([
      stack({ plan: null, preview: { state: 'failed', message: 'terraform is not installed' } }),
      stack({
        name: 'db',
        policies: [{ name: 'keep', outcome: 'deny', message: 'Databases stay.' }],
        checks: [
          { name: 'tflint', ok: false, output: Array.from({ length: 50 }, (_, index) => `out ${index}`).join('\n') },
        ],
      }),
      stack({ name: 'soon', preview: null, plan: null, provisional: true }),
    ])
    expect(text).toContain('! terraform is not installed')
    expect(text).toContain('! policy keep: deny: Databases stay.')
    expect(text).toContain('| planned, 1 check did not pass | 1 to update | deny: keep |')
    expect(text).toContain('  | out 49')
    expect(text).not.toContain('out 29\n')
    expect(text).toContain('soon (provisional) | waiting for its preview')
  })

  it('shows ordinary names as they are', () => {
    const text = comment([stack({ name: 'infra/network-1.eu', driver: 'my-tool' })])
    expect(text).toContain('| production | infra/network-1.eu |')
    expect(text).toContain('<b>production / infra/network-1.eu</b> (my-tool)')
    expect(comment([stack({ name: 'a_b' })])).toContain('| a\\_b |')
    expect(comment([stack({ name: 'a_b' })])).toContain('<b>production / a&#95;b</b>')
  })

  it('says when no stack is affected', () => {
    expect(comment([])).toContain('### Trueup: no stack is affected')
  })

  it('shows the lines of a file as a diff that is coloured', () => {
    const text = comment([
      stack({ plan: plan([change('/a', [{ path: 'content', before: 'one\ntwo\n', after: 'one\n2\n' }])]) }),
    ])
    expect(text).toContain('\n@@ -1,2 +1,2 @@\n            one\n-           two\n+           2\n')
  })

  it('never shows a sensitive value', () => {
    const secret = [{ path: 'password', before: 'hmac:a', after: 'hmac:b', sensitive: true }]
    expect(comment([stack({ plan: plan([change('x', secret)]) })])).not.toContain('hmac')
  })

  const EVIL = [
    '```\n</details>\n<script>alert(1)</script>\n@everyone #1 !2',
    '````````',
    '| a | b |\n/approve\n@admin',
    '[x](javascript:alert(1)) ![y](http://evil/z.png) https://evil.example www.evil.example',
    '<img src=x onerror=alert(1)> &lt; **bold** ~~~ $x$',
    '\u202e\u0000\u001b[31m\r/merge',
  ]

  it.each(EVIL)('is not taken over by %j, wherever it stands', (evil) => {
    const text = renderMrComment({
      headOid: evil,
      plannable: true,
      url: evil,
      gate: gate({
        mergeable: false,
        requirements: [
          { name: 'config', environment: evil, satisfied: false, blocking: true, message: evil, next: evil },
        ],
      }),
      stacks: [
        stack({
          environment: evil,
          name: evil,
          driver: evil,
          url: `https://evil.example/${evil}`,
          preview: { state: 'failed', message: evil },
          plan: plan([change(evil, [{ path: evil, before: evil, after: `${evil}\n${evil}` }], { reason: evil })], {
            findings: [{ severity: 'error', message: evil, path: evil }],
            coverage: { checked: 0, unchecked: [{ address: evil, why: evil }] },
          }),
          policies: [{ name: evil, outcome: 'deny', message: evil }],
          checks: [{ name: evil, ok: false, output: evil }],
        }),
      ],
    })
    const markup = outside(text).replaceAll(/<\/?(details|summary|b)>/g, '')
    expect(markup).not.toMatch(/[<>]/)
    expect(markup).not.toMatch(/@[A-Za-z]/)
    expect(markup).not.toMatch(/(^|\n)\s*\//)
    expect(markup).not.toMatch(/(?<!&)[#!]\d/)
    expect(markup).not.toMatch(/(?<!\\)\]\((?!https:\/\/trueup)/)
    expect(markup).not.toMatch(/:\/\/|www\./)
    expect(outside(text).match(/<details>/g)).toHaveLength(1)
    expect(outside(text).match(/<\/details>/g)).toHaveLength(1)
    // A row of the table stays one row.
    expect(markup.split('\n').filter((line) => line.startsWith('| '))).toHaveLength(3)
  })

  it('is never longer than the limit, says what is missing, and gives every stack its share', () => {
    const large = plan(
      Array.from({ length: 2_000 }, (_, index) => change(`resource.number_${index}`, [{ path: 'a', after: 'v' }])),
    )
    const two = comment([stack({ plan: large }), stack({ name: 'second' })])
    expect(two.length).toBeLessThanOrEqual(COMMENT_LIMIT)
    expect(two.length).toBeGreaterThan(COMMENT_LIMIT / 3)
    expect(two).toMatch(/… \d+ more lines, not shown here/)
    expect(two).toContain('<b>production / second</b>')
    const many = comment(Array.from({ length: 5_000 }, (_, index) => stack({ name: `stack-${index}` })))
    expect(many.length).toBeLessThanOrEqual(COMMENT_LIMIT)
    expect(many).toMatch(/…and \d+ more stacks/)
    expect(many).toMatch(/…the plans of \d+ more stacks do not fit/)
  })

  it('is never longer than the limit, whatever it is made of', () => {
    const wild = fc
      .oneof(fc.constantFrom(...EVIL), fc.string({ unit: 'binary', maxLength: 300 }))
      .map((text) => text.repeat(40))
    fc.assert(
      fc.property(fc.array(wild, { minLength: 1, maxLength: 40 }), (texts) => {
        const requirements = texts.map(
          (text) =>
            ({
              name: 'config',
              environment: text,
              satisfied: false,
              blocking: true,
              message: text,
              next: text,
            }) as const,
        )
        const stacks = texts.map((text) =>
          stack({
            environment: text,
            name: text,
            preview: { state: 'failed', message: text },
            policies: [{ name: text, outcome: 'deny', message: text }],
          }),
        )
        const text = comment(stacks, gate({ mergeable: false, requirements }))
        expect(text.length).toBeLessThanOrEqual(COMMENT_LIMIT)
        outside(text)
      }),
      { numRuns: 30 },
    )
  })
})
