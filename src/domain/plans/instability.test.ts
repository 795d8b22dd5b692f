import { describe, expect, it } from 'vitest'
import { change, plan } from './fixtures.ts'
import { findInstability } from './instability.ts'

const at = (time: string, more = {}) =>
  change(
    'x',
    [
      { path: 'built', before: 'then', after: time },
      { path: 'name', before: 'a', after: 'b' },
    ],
    more,
  )

describe('unstable attributes', () => {
  it('are those whose planned value differs between two plans of one desired state', () => {
    expect(findInstability(plan([at('1')]), plan([at('2')]))).toEqual([{ address: 'x', attribute: 'built' }])
    expect(findInstability(plan([at('1')]), plan([at('1')]))).toEqual([])
  })

  it('are not reported when something else explains the difference', () => {
    const elsewhere = plan([change('x', [{ path: 'built', before: 'now', after: '2' }])])
    expect(findInstability(plan([at('1')]), elsewhere)).toEqual([])
    expect(findInstability(plan([at('1')]), plan([at('2')], {}, { desiredDigest: 'sha256:bb' }))).toEqual([])
    expect(findInstability(plan([at('1')]), plan([at('2', { actions: ['replace'] })]))).toEqual([])
    expect(findInstability(plan([at('1')]), plan([]))).toEqual([])
  })

  it('are not reported again once they are listed', () => {
    const listed = { unstable: [{ address: 'x', attribute: 'built' }] }
    expect(findInstability(plan([at('1')], {}, listed), plan([at('2')], {}, listed))).toEqual([])
  })
})
