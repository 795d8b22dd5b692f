import { describe, expect, it } from 'vitest'
import { didYouMean, nearest } from './suggest.ts'
import { stopwatch } from './stopwatch.testing.ts'

describe('nearest', () => {
  it.each([
    ['enviroments', 'environments'],
    ['stakcs', 'stacks'],
    ['Version', 'version'],
    ['stagign', 'staging'],
    ['prodution', 'production'],
  ])('%s is meant as %s', (name, meant) => {
    expect(nearest(name, ['version', 'environments', 'stacks', 'policies', 'staging', 'production'])).toBe(meant)
  })

  it('says nothing when no name is near', () => {
    expect(nearest('database', ['version', 'environments', 'stacks'])).toBeNull()
    expect(nearest('ab', ['cd'])).toBeNull()
    expect(nearest('', ['a'])).toBeNull()
  })

  it('prefers the nearer one, then the first', () => {
    expect(nearest('web-1', ['web-22', 'web-2', 'web-3'])).toBe('web-2')
  })

  it('is quick on long names and many candidates', () => {
    const known = Array.from({ length: 20_000 }, (_, i) => `team-${i}/service-${i}/overlays`)
    const elapsed = stopwatch()
    expect(nearest('team-17/servce-17/overlays', known)).toBe('team-17/service-17/overlays')
    expect(nearest('x'.repeat(1_000_000), known)).toBeNull()
    expect(elapsed()).toBeLessThan(2000)
  })

  it('has words for it', () => {
    expect(didYouMean('stakcs', ['stacks'])).toBe(' (did you mean "stacks"?)')
    expect(didYouMean('zzz', ['stacks'])).toBe('')
  })
})
