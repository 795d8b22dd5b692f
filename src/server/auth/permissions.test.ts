import { describe, expect, it } from 'vitest'
import { ROLES, type Role } from '../../domain/roles.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { ACTIONS, authorize, may, needsRepository, type Action, type Principal } from './permissions.ts'

const person = (more: Partial<Principal> = {}): Principal => ({
  userId: 'u1',
  name: 'ada',
  kind: 'member',
  tokenId: 't1',
  scopes: ['admin'],
  ...more,
})
const shop = (role: Role | null) => ({ repository: { id: 'r1', name: 'shop', role } })
const actions = Object.keys(ACTIONS) as Action[]

function refusal(principal: Principal, action: Action, subject = {}): TrueupError {
  try {
    authorize(principal, action, subject)
  } catch (error) {
    if (error instanceof TrueupError) return error
    throw error
  }
  throw new Error(`${action} was allowed`)
}

describe('authorize', () => {
  it('gives each role what the weaker ones have, and never less', () => {
    for (const action of actions.filter(needsRepository)) {
      const allowed = ROLES.map((role) => may(person(), action, shop(role)))
      expect(allowed, action).toEqual(allowed.toSorted((a, b) => Number(a) - Number(b)))
      expect(allowed.at(-1), `${action} of the strongest role`).toBe(true)
    }
  })

  it('separates writing, merging and deploying', () => {
    expect(may(person(), 'git.push', shop('reader'))).toBe(false)
    expect(may(person(), 'git.push', shop('contributor'))).toBe(true)
    expect(may(person(), 'mr.merge', shop('contributor'))).toBe(false)
    expect(may(person(), 'run.approve', shop('maintainer'))).toBe(false)
    expect(may(person(), 'mr.bypass', shop('deployer'))).toBe(false)
  })

  it('lets administrators of the server do everything, everywhere', () => {
    const admin = person({ kind: 'admin' })
    for (const action of actions) expect(may(admin, action, shop(null)), action).toBe(true)
  })

  it('keeps members from what concerns the whole server', () => {
    for (const action of ['user.manage', 'worker.manage', 'audit.read', 'server.backup'] as const)
      expect(refusal(person(), action).code, action).toBe('FORBIDDEN')
  })

  it('hides a repository from who has no role in it, and names the missing role to who has one', () => {
    expect(refusal(person(), 'repository.read', shop(null)).code).toBe('NOT_FOUND')
    const error = refusal(person(), 'mr.merge', shop('contributor'))
    expect(error.code).toBe('FORBIDDEN')
    expect(error.text.why).toContain('maintainer')
  })

  it('never allows more than the token says, whoever holds it', () => {
    const admin = person({ kind: 'admin', scopes: ['read'] })
    for (const action of actions)
      expect(may(admin, action, shop('admin')), action).toBe(ACTIONS[action].power === 'read')
    for (const action of actions)
      expect(may(person({ kind: 'admin', scopes: [] }), action, shop('admin')), action).toBe(false)
  })

  it('keeps a token that is narrowed to a repository out of everything else', () => {
    const narrowed = person({ kind: 'admin', scopes: ['admin', 'repo:shop'] })
    expect(may(narrowed, 'git.push', shop('admin'))).toBe(true)
    expect(may(narrowed, 'git.push', { repository: { id: 'r2', name: 'bank', role: 'admin' } })).toBe(false)
    for (const action of ['user.manage', 'token.create', 'audit.read', 'server.backup', 'user.list'] as const)
      expect(may(narrowed, action), action).toBe(false)
    expect(may(narrowed, 'session.read')).toBe(true)
  })

  it('is a fault of the program to ask about a repository without saying which', () => {
    expect(() => authorize(person(), 'mr.merge')).toThrow('without its repository')
  })
})
