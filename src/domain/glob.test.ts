import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob, globProblem, isGlob } from './glob.ts'
import { stopwatch } from './stopwatch.testing.ts'

const matches = (pattern: string, text: string) => compileGlob(pattern, { hidden: true })(text)

describe('compileGlob', () => {
  it.each([
    ['apps/*', 'apps/web'],
    ['apps/**', 'apps/web/overlays'],
    ['apps/**', 'apps'],
    ['**/web', 'apps/x/web'],
    ['**/web', 'web'],
    ['**/{.x,y}/**/b', 'y/.x/b'],
    ['a/**/b/**/c/**', 'a/b/x/b/c'],
    ['apps/{web,api}/live', 'apps/api/live'],
    ['web-?', 'web-1'],
    ['é*', 'éa'],
    ['a b/*', 'a b/c'],
    ['{foo}', '{foo}'],
    ['module.web["a"].disk[*]', 'module.web["a"].disk[12]'],
    ["a'b*(c)+!@|^$~\\d", "a'bx(c)+!@|^$~\\d"],
  ])('%s matches %s', (pattern, text) => expect(matches(pattern, text)).toBe(true))

  it.each([
    ['apps/*', 'apps/web/overlays'],
    ['apps/*', 'apps'],
    ['module.web[0]*', 'module.web0'],
    ['(a|b)*', 'a'],
    ['!a*', 'b'],
    ['@(a)*', 'a'],
    ['a', 'A'],
    ['*', 'x'.repeat(5000)],
  ])('%s does not match %.20s', (pattern, text) => expect(matches(pattern, text)).toBe(false))

  it('leaves hidden names alone unless asked', () => {
    expect(compileGlob('*')('.github')).toBe(false)
    expect(compileGlob('**')('a/.b/c')).toBe(false)
    expect(compileGlob('*', { hidden: true })('.github')).toBe(true)
  })

  it('a text without wildcards matches itself only', () => {
    const plain = fc.string({ maxLength: 60 }).filter((text) => !isGlob(text) && globProblem(text) === null)
    fc.assert(
      fc.property(plain, fc.string(), (text, other) => {
        expect(matches(text, text)).toBe(true)
        expect(matches(text, other)).toBe(other === text)
      }),
    )
  })

  it('any accepted pattern is compiled and run quickly', () => {
    const part = fc.constantFrom('*', '**', '/', 'a', 'aa', '{a,aa}', '?', '[', '(a+)+', '.', '{a,}')
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 40 }).map((parts) => parts.join('')),
        (pattern) => {
          if (globProblem(pattern) !== null) return
          const elapsed = stopwatch()
          matches(pattern, `${'a'.repeat(255)}/${'a/'.repeat(1900)}b`)
          expect(elapsed()).toBeLessThan(500)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('globProblem', () => {
  it.each([
    'a'.repeat(501),
    'a\0',
    '{a/b,c}',
    'a*b*c*',
    '{a',
    'a}',
    '{a,{b,c}}',
    '{1..9}',
    '{a,b}'.repeat(5),
    `{${'a,'.repeat(70)}}`,
  ])('refuses %.30j', (pattern) => {
    expect(globProblem(pattern)).toEqual(expect.any(String))
    expect(() => compileGlob(pattern)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
