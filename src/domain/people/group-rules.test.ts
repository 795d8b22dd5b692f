import { expect, it } from 'vitest'
import { accountNames, type GroupRule, rightsOf } from './group-rules.ts'

it('rules add up, and the highest role of a repository counts', () => {
  const rules: GroupRule[] = [
    { group: '*', roles: { shop: 'reader' } },
    { group: 'ops', teams: ['ops', 'all'], roles: { shop: 'deployer', infra: 'admin' } },
    { group: 'dev', teams: ['all'], roles: { shop: 'contributor' } },
    { group: 'boss', admin: true },
  ]
  expect(rightsOf(rules, [])).toEqual({ admin: false, teams: [], roles: { shop: 'reader' } })
  expect(rightsOf(rules, ['dev', 'ops', 'boss'])).toEqual({
    admin: true,
    teams: ['all', 'ops'],
    roles: { shop: 'deployer', infra: 'admin' },
  })
  expect(rightsOf(rules.slice(1), ['opsx', 'OPS', ''])).toBeNull()
  expect(rightsOf([{ group: 'a', roles: { toString: 'reader' } as never }], ['a'])!.roles).toEqual({
    toString: 'reader',
  })
})

it('somebody of whom the provider says nothing has no rights, and whoever has no groups is in none', () => {
  const rules: GroupRule[] = [
    { group: 'boss', admin: true },
    { group: 'dev', teams: ['all'], roles: { shop: 'contributor' } },
  ]
  for (const groups of [[], [''], ['', ' ']]) expect(rightsOf(rules, groups)).toBeNull()
  expect(accountNames({ username: '', email: '', subject: 'x1' })[0]).toBe('person-x1')
})

it.each([
  [{ username: 'ada', subject: '1' }, ['ada', 'ada-2']],
  [{ username: 'ada@example.org', subject: '1' }, ['ada', 'ada-2']],
  [{ username: '../../x y', subject: '1' }, ['x-y', 'x-y-2']],
  [{ username: 'Админ', email: 'root.git@example.org', subject: 'S1' }, ['person-S1', 'person-S1-2']],
  [{ username: 'Admin', email: 'eve@example.org', subject: '1' }, ['eve', 'eve-2']],
  [{ username: 'system', subject: '' }, ['person-', 'person--2']],
])('of %j it makes a name that fits', (claims, expected) => {
  expect(accountNames(claims).slice(0, 2)).toEqual(expected)
})
