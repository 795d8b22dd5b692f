import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryPlan, change, plan } from '../plans/fixtures.ts'
import { renderPlanText } from './text.ts'

const plain = (...[changes, more]: Parameters<typeof plan>) =>
  renderPlanText(plan(changes, more), { color: false, width: 100 })

describe('a plan on a terminal', () => {
  it('shows every action with its sign, and what changes from what to what', () => {
    const text = plain([
      change('a.new', [{ path: 'size', after: 2 }], { actions: ['create'] }),
      change('b.same', [{ path: 'size', before: 1, after: 2 }]),
      change('c.gone', [{ path: 'size', before: 1 }], { actions: ['delete'] }),
      change('d.other', [{ path: 'id', before: 'x', unknown: true }], {
        actions: ['replace'],
        reason: 'forces replacement',
      }),
      change('e.read', [], { actions: ['read'] }),
      change('f.moved', [], { previousAddress: 'f.old', cause: 'drift' }),
    ])
    expect(text.split('\n')).toEqual([
      '+   a.new  (create)',
      '+       size: 2',
      '',
      '~   b.same  (update)',
      '~       size: 1 → 2',
      '',
      '-   c.gone  (delete)',
      '-       size: 1',
      '',
      '-/+ d.other  (replace; forces replacement)',
      '~       id: "x" → (known after apply)',
      '',
      '<=  e.read  (read)',
      '',
      '~   f.moved  (update; moved from f.old; drifted)',
      '',
      '    Plan: 1 to create, 2 to update, 1 to replace, 1 to delete, 1 other.',
      '    Checked 6 resources.',
    ])
  })

  it('says when there is nothing to do, and what that is worth', () => {
    const coverage = { checked: 1, unchecked: [{ address: 'exec[x]', why: 'no check mode' }] }
    expect(plain([], { coverage })).toBe(
      [
        '    Plan: no changes seen; 1 of 2 not checked.',
        '    Checked 1 resource; 1 could not be checked:',
        '!     exec[x]: no check mode',
      ].join('\n'),
    )
  })

  it('shows files as a diff of their lines', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`)
    const before = `${lines.join('\n')}\n`
    const after = before.replace('line 10\n', 'line ten\n')
    expect(
      plain([change('/etc/x', [{ path: 'content', before, after }])])
        .split('\n')
        .slice(1, 11),
    ).toEqual([
      '~       content:',
      '           @@ -8,7 +8,7 @@',
      '            line 7',
      '            line 8',
      '            line 9',
      '-           line 10',
      '+           line ten',
      '            line 11',
      '            line 12',
      '            line 13',
    ])
  })

  it('says so when two texts are too different or too long to show', () => {
    const random = (seed: number) =>
      Array.from({ length: 3_000 }, (_, index) => `${(index * 7_919 + seed * 104_729) % 1_000_003}`).join('\n')
    const text = plain([change('x', [{ path: 'content', before: random(1), after: random(2) }])])
    expect(text.split('\n').length).toBeLessThan(420)
    const created = plain([change('x', [{ path: 'content', after: random(1) }], { actions: ['create'] })])
    expect(created.split('\n').length).toBeLessThan(420)
  })

  it('shows large objects as a diff, and only the size of what is too large', () => {
    const object = (port: number) => ({
      rules: Array.from({ length: 30 }, (_, index) => ({ name: `rule-${index}`, port })),
    })
    const text = plain([change('x', [{ path: 'a', before: object(1), after: object(1).rules }])])
    expect(text).toContain('@@')
    expect(plain([change('x', [{ path: 'a', after: 'v'.repeat(70_000) }])])).toMatch(
      /a: nothing → \(70002 bytes, sha256:/,
    )
  })

  it('says of a long value that becomes unknown that it does, not that it goes', () => {
    const before = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key_${index}`, index]))
    const text = plain([change('a.b', [{ path: 'output', before, unknown: true }])])
    expect(text).toContain('+           (known after apply)')
    expect(text).not.toContain('+1,0')
  })

  it('never shows sensitive values, neither in changes nor in outputs', () => {
    const changes = [
      change('x', [
        { path: 'password', before: 'hmac:aaa', after: 'hmac:bbb', sensitive: true },
        { path: 'token', after: 'hmac:\nccc', sensitive: true },
      ]),
    ]
    const outputs = { secret: { value: 'hmac:ddd', sensitive: true }, port: { value: 80, sensitive: false } }
    const text = plain(changes, { outputs })
    expect(text).not.toContain('hmac')
    expect(text).toContain('password: (sensitive) changes')
    expect(text).toContain('token: nothing → (sensitive)')
    expect(text).toContain('secret = (sensitive)')
    expect(text).toContain('port = 80')
  })

  it('shows escape sequences and direction marks instead of obeying them', () => {
    const evil = '\u001b[2J\u202eevil\r\n'
    const text = plain(
      [change(`x${evil}`, [{ path: evil, before: evil, after: `${evil}\nmore\u0007` }], { reason: evil })],
      {
        findings: [{ severity: 'warning', message: evil, path: evil, line: 3 }],
        coverage: { checked: 1, unchecked: [{ address: evil, why: evil }] },
      },
    )
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    expect(text).toContain('\\u001b[2J\\u202eevil')
  })

  it('stays within the width, and colours lines without changing their text', () => {
    fc.assert(
      fc.property(arbitraryPlan, fc.integer({ min: 10, max: 200 }), (any, width) => {
        const bare = renderPlanText(any, { color: false, width })
        const painted = renderPlanText(any, { color: true, width })
        for (const line of bare.split('\n')) expect(line.length).toBeLessThanOrEqual(Math.max(width, 40))
        // oxlint-disable-next-line no-control-regex
        expect(painted.replace(/\u001b\[\d+m/g, '')).toBe(bare)
      }),
    )
  })

  it('wraps a long value below its name and keeps all of it', () => {
    const value = Array.from({ length: 30 }, (_, index) => `w${index}`).join('_')
    const text = renderPlanText(plan([change('x', [{ path: 'a', after: value }])]), { color: false, width: 50 })
    expect(text.replace(/\n +/g, '')).toContain(value)
  })
})
