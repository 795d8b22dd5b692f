import { describe, expect, it } from 'vitest'
import { findCircle, importsOf, problemsOf } from './check-layers.ts'

describe('the house', () => {
  it('lets imports point downwards', () => {
    expect(problemsOf('engine/deploy.ts', ['../store/runs.ts', './gate.ts'])).toEqual([])
  })

  it('refuses an upward import', () => {
    expect(problemsOf('store/runs.ts', ['../engine/deploy.ts'])).toMatchObject([
      { why: expect.stringContaining('above') },
    ])
  })

  it('refuses one driver that knows another', () => {
    expect(problemsOf('drivers/files/plan.ts', ['../terraform/plan.ts'])).toHaveLength(1)
    expect(problemsOf('drivers/files/plan.ts', ['../driver.ts'])).toEqual([])
  })

  it('finds static, type and dynamic imports', () => {
    const source = `import { a } from './a.ts'\nimport type { B } from '../b.ts'\nawait import('./c.ts')\nimport './d.ts'`
    expect(importsOf(source)).toEqual(['./a.ts', '../b.ts', './c.ts', './d.ts'])
  })

  it('finds a circle and names its path', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ])
    expect(findCircle(graph)).toEqual(['b', 'c', 'b'])
  })
})
