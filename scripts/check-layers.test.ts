import { describe, expect, it } from 'vitest'
import { findCircle, forgeProblems, hallProblem, lengthProblem, problemsOf } from './check-layers.ts'
import { hallsOf, houseTable, importsOf } from './house.ts'

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

  it('lets nobody outside know a forge by more than the port, tests neither', () => {
    expect(forgeProblems('src/engine/merge.ts', ['../forges/forge.ts', '../forges/forges.ts'])).toEqual([])
    expect(forgeProblems('src/forges/forges.ts', ['./builtin/index.ts'])).toEqual([])
    expect(forgeProblems('src/engine/merge.ts', ['../forges/builtin/merging.ts'])).toHaveLength(1)
    expect(forgeProblems('src/engine/merge.test.ts', ['../forges/builtin/merging.ts'])).toHaveLength(1)
    expect(forgeProblems('test/loop.test.ts', ['../src/forges/builtin/merging.ts'])).toHaveLength(1)
  })

  it('refuses a file that is too long to be read at once, tests among them', () => {
    expect(lengthProblem('store/runs.ts', 'line\n'.repeat(400))).toBeNull()
    expect(lengthProblem('store/runs.ts', 'line\n'.repeat(401))).toMatchObject({ imports: '401 lines' })
    expect(lengthProblem('store/runs.test.ts', 'line\n'.repeat(401))).toMatchObject({ imports: '401 lines' })
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

  it('finds folders that import each other, though no two files do', () => {
    const graph = new Map([
      ['store/runs/claim.ts', ['store/stacks/stacks.ts']],
      ['store/stacks/stacks.ts', []],
      ['store/stacks/state.ts', ['store/runs/row.ts']],
      ['store/runs/row.ts', []],
    ])
    expect(findCircle(graph)).toBeNull()
    const hall = hallsOf(graph).get('store')!
    expect(hallProblem(hall)?.why).toContain('runs → stacks → runs')
    expect(hallProblem(hall)?.imports).toContain('store/stacks/state.ts → store/runs/row.ts')
  })

  it('leaves tests out of the halls and counts units and imports', () => {
    const halls = hallsOf(
      new Map([
        ['git/a.ts', ['git/b.ts', 'git/child/c.ts']],
        ['git/b.ts', []],
        ['git/child/c.ts', []],
        ['git/testing/world.ts', ['git/a.ts']],
        ['git/a.test.ts', ['git/a.ts']],
      ]),
    )
    expect([...halls.get('git')!.units]).toEqual(['a.ts', 'b.ts', 'child'])
    expect(houseTable(halls)).toMatch(/^git +3 +2$/m)
    const before = hallsOf(new Map([['git/a.ts', []]]))
    expect(houseTable(halls, before)).toMatch(/^git +3 +2 +1 +0$/m)
    expect(houseTable(halls, before)).toMatch(/^git\/child +1 +0 +- +-$/m)
  })
})
