import { isAtLeast, RELEASER, ROLES, type Role, VOTER } from '../../domain/roles.ts'
import { TrueupError } from '../../lib/errors/error.ts'

/**
 * What a token is good for, weakest first. `repo:NAME` scopes beside it narrow it to those repositories, and
 * `from:` ones to addresses, which `authenticate.ts` asks.
 */
export const TOKEN_POWERS = ['read', 'write', 'admin'] as const
export type TokenPower = (typeof TOKEN_POWERS)[number]

/**
 * Who may do it. A role: needs at least that role in the repository concerned. `user`: anyone who is logged in.
 * `server-admin`: users of kind `admin` only. Administrators of the server may everything.
 */
interface Rule {
  who: Role | 'user' | 'server-admin'
  power: TokenPower
}

const rule = (who: Rule['who'], power: TokenPower): Rule => ({ who, power })

/** The whole permission model: action → who, and what the token must be good for. Nothing else decides. */
export const ACTIONS = {
  'session.read': rule('user', 'read'),
  'session.link': rule('user', 'admin'),
  'session.close': rule('user', 'read'),
  'session.list': rule('user', 'read'),
  'session.revoke': rule('user', 'write'),
  'second-factor.read': rule('user', 'read'),
  'second-factor.enrol': rule('user', 'admin'),
  'second-factor.prove': rule('user', 'read'),
  'password.change': rule('user', 'admin'),
  'event.read': rule('user', 'read'),
  'server.read': rule('user', 'read'),
  'server.backup': rule('server-admin', 'admin'),
  'server.database': rule('server-admin', 'admin'),
  'user.list': rule('user', 'read'),
  'user.manage': rule('server-admin', 'admin'),
  'team.list': rule('user', 'read'),
  'team.manage': rule('server-admin', 'admin'),
  'token.list': rule('user', 'read'),
  'token.create': rule('user', 'admin'),
  'token.revoke': rule('user', 'write'),
  'worker.list': rule('user', 'read'),
  'worker.manage': rule('server-admin', 'admin'),
  'worker.logs': rule('server-admin', 'read'),
  'login-provider.manage': rule('server-admin', 'admin'),
  'issuer.rotate': rule('server-admin', 'admin'),
  'audit.read': rule('server-admin', 'read'),
  'audit.export': rule('server-admin', 'read'),
  'audit.reseal': rule('server-admin', 'admin'),

  'repository.list': rule('user', 'read'),
  'repository.create': rule('server-admin', 'admin'),
  'repository.read': rule('reader', 'read'),
  'repository.connect': rule('admin', 'admin'),
  'repository.audit': rule('maintainer', 'read'),
  'member.list': rule('reader', 'read'),
  'member.manage': rule('admin', 'admin'),
  'git.read': rule('reader', 'read'),
  'git.push': rule('contributor', 'write'),

  'mr.read': rule('reader', 'read'),
  'mr.open': rule('contributor', 'write'),
  'mr.update': rule('contributor', 'write'),
  'mr.comment': rule('reader', 'write'),
  'mr.review': rule('contributor', 'write'),
  'mr.approve': rule(VOTER, 'write'),
  'mr.lift': rule('maintainer', 'write'),
  'mr.plan': rule('contributor', 'write'),
  'mr.merge': rule('maintainer', 'write'),
  'mr.bypass': rule('admin', 'write'),
  'stack.read': rule('reader', 'read'),
  'stack.deploy': rule('deployer', 'write'),
  'stack.destroy': rule('deployer', 'write'),
  'run.read': rule('reader', 'read'),
  'run.cancel': rule('contributor', 'write'),
  'run.retry': rule('contributor', 'write'),
  'run.approve': rule(RELEASER, 'write'),
  'deployment.read': rule('reader', 'read'),
  'drift.read': rule('reader', 'read'),
  'drift.check': rule('contributor', 'write'),
  'drift.heal': rule('deployer', 'write'),
  'drift.codify': rule('contributor', 'write'),
  'drift.accept': rule('deployer', 'write'),
  'rollback.create': rule('maintainer', 'write'),
  'quarantine.lift': rule('deployer', 'write'),
  'environment.read': rule('reader', 'read'),
  'environment.freeze': rule('deployer', 'write'),
  'environment.notice': rule('maintainer', 'write'),
  'variable.list': rule('maintainer', 'read'),
  'variable.write': rule('admin', 'write'),
  'state.read': rule('deployer', 'read'),
  'state.write': rule('deployer', 'write'),
  'state.unlock': rule('deployer', 'write'),
} as const satisfies Record<string, Rule>
export type Action = keyof typeof ACTIONS

const RULES: Record<Action, Rule> = ACTIONS

/** True where the action concerns one repository, so that a role in it decides. */
export const needsRepository = (action: Action): boolean => isRole(RULES[action].who)

/** A logged-in person, by the token that this request carries. */
export interface Principal {
  userId: string
  name: string
  kind: 'admin' | 'member'
  tokenId: string
  scopes: readonly string[]
  /** When this login last proved the second factor of its account; null or absent: never. */
  provenAt?: number | null
  /** The server asks this account for a second factor, and it has none. */
  owesSecondFactor?: boolean
}

export interface Subject {
  /** The repository concerned and the person's role in it, null where there is none. */
  repository?: { id: string; name: string; role: Role | null }
  /** Named in refusals; environments have no roles of their own yet. */
  environment?: string
}

/**
 * Decides whether `principal` may do `action` to `subject`. Returns when they may; throws FORBIDDEN with the role or
 * scope that is missing, or NOT_FOUND for a repository in which the person has no role at all, so that names do not leak.
 */
export function authorize(principal: Principal, action: Action, subject: Subject = {}): void {
  const { who, power } = RULES[action]
  const repository = subject.repository
  if (isRole(who)) {
    if (!repository) throw new Error(`action ${action} was authorised without its repository`)
    if (principal.kind !== 'admin' && repository.role === null) throw repositoryNotFound(repository.name)
  }
  requireScope(principal, action, power, repository?.name)
  if (principal.kind === 'admin' || who === 'user') return
  if (who === 'server-admin') {
    throw new TrueupError('FORBIDDEN', {
      doing: `checking the right "${action}" of ${principal.name}`,
      why: 'only administrators of this server may do that',
      next: 'Ask an administrator of the server.',
    })
  }
  const role = repository?.role ?? 'reader'
  if (isAtLeast(role, who)) return
  throw new TrueupError('FORBIDDEN', {
    doing: `checking the right "${action}" of ${principal.name}${place(subject)}`,
    why: `it needs the role ${who}, and ${principal.name} is ${role}`,
    details: { action, needed: who, role },
  })
}

/** The same decision as a boolean, for filtering lists and events. */
export function may(principal: Principal, action: Action, subject: Subject = {}): boolean {
  try {
    authorize(principal, action, subject)
    return true
  } catch (error) {
    if (error instanceof TrueupError) return false
    throw error
  }
}

/** Every action that the person may do: in a repository, or beside all of them. */
export function mayDo(principal: Principal, repository?: Subject['repository']): Action[] {
  const actions = (Object.keys(ACTIONS) as Action[]).filter((action) => needsRepository(action) === !!repository)
  return actions.filter((action) => may(principal, action, repository ? { repository } : {}))
}

/** The refusal for a repository that does not exist, and equally for one that this person may not see. */
export function repositoryNotFound(name: string): TrueupError {
  return new TrueupError('NOT_FOUND', {
    doing: `opening repository "${name}"`,
    why: 'there is no such repository, or you have no role in it',
    next: '`trueup repo list` shows yours; an administrator of the repository can add you.',
  })
}

function requireScope(principal: Principal, action: Action, power: TokenPower, repository: string | undefined): void {
  const doing = `checking the token of ${principal.name} for "${action}"`
  const powers = principal.scopes.filter(isPower)
  if (!powers.some((held) => TOKEN_POWERS.indexOf(held) >= TOKEN_POWERS.indexOf(power))) {
    throw new TrueupError('FORBIDDEN', {
      doing,
      why: `it needs the scope ${power}, and this token has ${principal.scopes.join(', ') || 'none'}`,
      next: 'Use a token with that scope: `trueup token create --scope …`.',
      details: { action, neededScope: power },
    })
  }
  const narrowed = principal.scopes.filter((scope) => scope.startsWith('repo:')).map((scope) => scope.slice(5))
  if (narrowed.length === 0 || (repository !== undefined && narrowed.includes(repository))) return
  // A narrowed token must not reach anything beside its repositories, except to learn who it is.
  if (repository === undefined && UNNARROWED.has(action)) return
  throw new TrueupError('FORBIDDEN', {
    doing,
    why: `this token is only for ${narrowed.map((name) => `repository "${name}"`).join(', ')}`,
    next: 'Use a token without repo: scopes, or one for this repository.',
  })
}

/** Harmless without a repository: lists behind them are filtered item by item with the same token. */
const UNNARROWED: ReadonlySet<Action> = new Set([
  'session.read',
  'session.close',
  'event.read',
  'server.read',
  'repository.list',
])

function isRole(who: string): who is Role {
  return (ROLES as readonly string[]).includes(who)
}

function isPower(scope: string): scope is TokenPower {
  return (TOKEN_POWERS as readonly string[]).includes(scope)
}

function place(subject: Subject): string {
  const repository = subject.repository ? ` in repository "${subject.repository.name}"` : ''
  return subject.environment ? `${repository}, environment "${subject.environment}"` : repository
}
