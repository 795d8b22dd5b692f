import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyIgnoreToChanges, compileIgnore, matchesIgnore } from './ignore.ts'
import type { ResourceChange } from './plan.ts'
import { stopwatch } from '../stopwatch.testing.ts'

const rule = (address: string, attribute: string) => [{ address, attribute }]

describe('matchesIgnore', () => {
  it.each([
    ['Deployment/*', 'spec.replicas', 'Deployment/web', 'spec.replicas'],
    ['Deployment/*', 'spec.replicas', 'Deployment/shop/web', 'spec.replicas'],
    ['Deployment/*', 'spec', 'Deployment/web', 'spec.template.spec.containers[0].image'],
    ['Deployment/shop/*', 'spec.replicas', 'Deployment/shop/web', 'spec.replicas.max'],
    ['*', 'spec.ports[*].nodePort', 'Service/web', 'spec.ports[3].nodePort'],
    ['*', 'spec.ports', 'Service/web', 'spec.ports[3].nodePort'],
    ['**', '**.caBundle', 'Webhook/x', 'webhooks[0].clientConfig.caBundle'],
    ['aws_instance.web["a"]', 'tags.*', 'aws_instance.web["a"]', 'tags.Name'],
    ['aws_instance.web[0]', 'tags', 'aws_instance.web[0]', 'tags'],
    ['module.*.aws_db_instance.main', 'password', 'module.db.aws_db_instance.main', 'password'],
    ['/etc/nginx/*', 'content', '/etc/nginx/sites/.hidden', 'content'],
    ['*', 'metadata.annotations.kubernetes.io/x', 'Pod/a', 'metadata.annotations.kubernetes.io/x'],
    ['*', 'metadata.annotations.*', 'Pod/a', 'metadata.annotations.a/b'],
  ])('%s %s covers %s %s', (address, attribute, at, path) => {
    expect(matchesIgnore(rule(address, attribute), at, path)).toBe(true)
  })

  it.each([
    ['Deployment/*', 'spec.replicas', 'StatefulSet/web', 'spec.replicas'],
    ['Deployment/*', 'spec.replicas', 'Deployment/web', 'spec.replicasMax'],
    ['Deployment/*', 'spec.replicas.max', 'Deployment/web', 'spec.replicas'],
    ['/etc/*.conf', 'content', '/etc/nginx/site.conf', 'content'],
    ['*', 'spec.ports[0]', 'Service/web', 'spec.ports[1]'],
    ['aws_instance.web[0]', 'tags', 'aws_instance.web0', 'tags'],
    ['*', 'spec.*', 'Service/web', 'spec'],
  ])('%s %s leaves %s %s', (address, attribute, at, path) => {
    expect(matchesIgnore(rule(address, attribute), at, path)).toBe(false)
  })

  it('without rules ignores nothing', () => expect(matchesIgnore([], 'a', 'b')).toBe(false))

  it('answers the same in whichever order it is asked', () => {
    const matcher = compileIgnore([...rule('a/*', 'x'), ...rule('b', 'y')])
    const questions = fc.array(fc.tuple(fc.constantFrom('a/1', 'a/2', 'b', 'c'), fc.constantFrom('x', 'y', 'x.z')))
    fc.assert(
      fc.property(questions, (asked) => {
        for (const [address, path] of asked) {
          const expected = address.startsWith('a/') ? path !== 'y' : address === 'b' && path === 'y'
          expect(matcher(address, path)).toBe(expected)
        }
      }),
    )
  })

  it('goes through 100,000 attributes quickly', () => {
    const matcher = compileIgnore([...rule('Deployment/*', 'spec.replicas'), ...rule('**', 'metadata.annotations.*')])
    const elapsed = stopwatch()
    let count = 0
    for (let i = 0; i < 10_000; i++)
      for (let j = 0; j < 10; j++) if (matcher(`Deployment/n/${i}`, j ? `spec.a${j}` : 'spec.replicas')) count++
    expect(count).toBe(10_000)
    expect(elapsed()).toBeLessThan(2000)
  })
})

describe('applyIgnoreToChanges', () => {
  const change = (actions: ResourceChange['actions'], ...paths: string[]): ResourceChange => ({
    address: 'Deployment/web',
    type: 'Deployment',
    actions,
    attributes: paths.map((path) => ({ path, before: 1, after: 2 })),
    cause: 'drift',
  })
  const rules = rule('Deployment/*', 'spec.replicas')
  const apply = (one: ResourceChange) => applyIgnoreToChanges([one], rules)

  it('takes the attribute out of an update', () => {
    expect(apply(change(['update'], 'spec.replicas', 'spec.image'))).toEqual([change(['update'], 'spec.image')])
  })

  it('drops an update of which nothing is left', () => {
    expect(apply(change(['update'], 'spec.replicas'))).toEqual([])
    expect(apply(change(['import', 'update'], 'spec.replicas'))).toEqual([change(['import'])])
  })

  it('keeps an update that names no attributes: nobody knows what it is', () => {
    expect(apply(change(['update']))).toEqual([change(['update'])])
  })

  it.each(['create', 'delete', 'replace', 'import', 'forget', 'read'] as const)('leaves %s whole', (action) => {
    const one = change([action], 'spec.replicas')
    expect(apply(one)[0]).toBe(one)
  })

  it('does not alter what it is given', () => {
    const one = change(['update'], 'spec.replicas', 'spec.image')
    apply(one)
    expect(one.attributes).toHaveLength(2)
  })
})
