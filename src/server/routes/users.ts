import { z } from 'zod'
import { votesChanged } from '../../engine/merge-requests/people-changed.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries } from '../../store/open.ts'
import { createUser, findUserByName, isLastAdmin, listUsers, patchUser } from '../../store/people/users.ts'
import { principalOf } from '../auth/enforce.ts'
import { hashPassword } from '../auth/password.ts'
import { revokeAllTokens } from '../auth/revoke.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Name } from '../schemas/common.ts'
import { NewUser, User, UserChange } from '../schemas/people.ts'
import { showUser } from './show.ts'

export const userRoutes: RouteModule<'store'> = (app, { store }) => {
  const tags = ['users']

  app.get(
    '/api/v1/users',
    {
      config: { action: 'user.list' },
      schema: { tags, summary: 'Everyone with an account', querystring: PageQuery, response: { 200: pageOf(User) } },
    },
    async (request) => {
      const { items, next } = await listUsers(store.db, request.query)
      return { items: items.map(showUser), next }
    },
  )

  app.post(
    '/api/v1/users',
    {
      config: { action: 'user.manage' },
      schema: { tags, summary: 'Add a person', body: NewUser, response: { 201: User } },
    },
    async (request, reply) => {
      const { password, name, email, kind } = request.body
      const passwordHash = password === undefined ? null : await hashPassword(password)
      const user = await store.transaction(async (tx) => {
        if (await findUserByName(tx, name)) throw nameTaken(name)
        const created = await createUser(tx, { name, email, kind, passwordHash })
        await appendAudit(tx, { ...by(request), action: 'user.create', subject: created.id, data: { name, kind } })
        return created
      })
      return reply.code(201).send(showUser(user))
    },
  )

  app.get(
    '/api/v1/users/:user',
    {
      config: { action: 'user.list' },
      schema: { tags, summary: 'One person', params: z.object({ user: Name }), response: { 200: User } },
    },
    async (request) => showUser(await userNamed(store.db, request.params.user)),
  )

  app.patch(
    '/api/v1/users/:user',
    {
      config: { action: 'user.manage' },
      schema: {
        tags,
        summary: 'Change a person; disabling revokes all their tokens',
        params: z.object({ user: Name }),
        body: UserChange,
        response: { 200: User },
      },
    },
    async (request) => {
      const { disabled, password, kind, email } = request.body
      const passwordHash = password === undefined ? undefined : await hashPassword(password)
      const changed = await store.transaction(async (tx) => {
        const user = await userNamed(tx, request.params.user)
        const losesAdmin = disabled === true || kind === 'member'
        if (losesAdmin && (await isLastAdmin(tx, user))) throw lastAdmin(user.name)
        const disabledAt = disabled === undefined ? undefined : disabled ? (user.disabledAt ?? store.clock.now()) : null
        await patchUser(tx, user.id, { email, kind, passwordHash, disabledAt })
        await votesChanged(tx, { userId: user.id })
        // A new password or a disabled account ends what was logged in with the old one.
        if (disabled || passwordHash !== undefined) await revokeAllTokens(tx, user.id, keepOwn(request, user.id))
        await appendAudit(tx, {
          ...by(request),
          action: 'user.change',
          subject: user.id,
          data: { email, kind, disabled, password: password === undefined ? undefined : 'changed' } as never,
        })
        return userNamed(tx, user.name)
      })
      return showUser(changed)
    },
  )
}

/** NOT_FOUND with the name where there is no such person. */
export async function userNamed(db: Queries, name: string) {
  const user = await findUserByName(db, name)
  if (user) return user
  throw new TrueupError('NOT_FOUND', {
    doing: `looking for user "${name}"`,
    why: 'there is nobody of that name',
    next: '`trueup user list` shows everyone.',
  })
}

/** The actor of an audit event. */
export const by = (request: Parameters<typeof principalOf>[0]): { actor: string } => ({
  actor: `user:${principalOf(request).userId}`,
})

function keepOwn(request: Parameters<typeof principalOf>[0], userId: string): string | null {
  const principal = principalOf(request)
  return principal.userId === userId ? principal.tokenId : null
}

const nameTaken = (name: string): TrueupError =>
  new TrueupError('CONFLICT', {
    doing: `adding user "${name}"`,
    why: 'that name is taken',
    next: 'Choose another name, or change the existing person with `trueup user update`.',
  })

const lastAdmin = (name: string): TrueupError =>
  new TrueupError('CONFLICT', {
    doing: `changing user "${name}"`,
    why: 'this is the last administrator, and without one nobody could manage this server',
    next: 'Make someone else an administrator first.',
  })
