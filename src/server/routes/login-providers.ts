import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import {
  createLoginProvider,
  deleteLoginProvider,
  findLoginProvider,
  listLoginProviders,
  type LoginProvider as Row,
  patchLoginProvider,
} from '../../store/people/login-providers.ts'
import { revokeAllTokens } from '../auth/revoke.ts'
import type { RouteModule } from '../parts.ts'
import { Done, Name } from '../schemas/common.ts'
import { LoginProvider, LoginProviderChange } from '../schemas/login-providers.ts'
import { checkProvider, isLoopback, secretContext } from '../sso/provider.ts'
import { callbackOf } from './provider-login.ts'
import { by } from './users.ts'

/** Which OpenID Connect providers people log in at, and what their groups give. */
export const loginProviderRoutes: RouteModule<'store' | 'keys' | 'publicUrl'> = (app, { store, keys, publicUrl }) => {
  const tags = ['identity']
  const params = z.object({ provider: Name })
  const show = ({ secretSealed, id: _id, ...row }: Row): LoginProvider => ({
    ...row,
    hasSecret: secretSealed !== null,
    callbackUrl: callbackOf(publicUrl(), row.name),
  })

  app.get(
    '/api/v1/login-providers',
    {
      config: { action: 'login-provider.manage' },
      schema: { tags, summary: 'Providers at which people log in', response: { 200: z.array(LoginProvider) } },
    },
    async () => (await listLoginProviders(store.db)).map(show),
  )

  app.put(
    '/api/v1/login-providers/:provider',
    {
      config: { action: 'login-provider.manage', secretAnswer: true },
      schema: {
        tags,
        summary: 'Add a provider at which people log in, or change it',
        params,
        body: LoginProviderChange,
        response: { 200: LoginProvider },
      },
    },
    async (request) => {
      const { provider: name } = request.params
      const { clientSecret, ...wish } = request.body
      const { issuer } = wish
      const doing = `setting up the login provider "${name}"`
      if (issuer.startsWith('http:') && !isLoopback(issuer))
        throw new TrueupError('INVALID_REQUEST', { doing, why: 'without TLS a provider may only be on this machine' })
      const known = await findLoginProvider(store.db, name)
      if (known && known.issuer !== issuer)
        throw new TrueupError('CONFLICT', {
          doing,
          why: `it is ${known.issuer}; people of another issuer are other people`,
          next: 'Add the other one under a name of its own, or remove this one first.',
        })
      const draft = { id: '', createdAt: 0, name, secretSealed: null, ...wish }
      await checkProvider(draft)
      const changed = await store.transaction(async (tx) => {
        const now = await findLoginProvider(tx, name)
        const { id } = now ?? (await createLoginProvider(tx, { name, ...wish }))
        const row = await patchLoginProvider(tx, id, {
          ...wish,
          ...(clientSecret !== undefined && {
            secretSealed: clientSecret === null ? null : keys.seal(Buffer.from(clientSecret), secretContext(id)),
          }),
        })
        const data = { ...wish, secret: clientSecret === undefined ? 'unchanged' : 'changed' }
        await appendAudit(tx, { ...by(request), action: 'login-provider.set', subject: id, data })
        return row
      })
      return show(changed)
    },
  )

  app.delete(
    '/api/v1/login-providers/:provider',
    {
      config: { action: 'login-provider.manage' },
      schema: {
        tags,
        summary: 'Remove a provider; its people keep their accounts and are logged out',
        params,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { provider: name } = request.params
      await store.transaction(async (tx) => {
        const known = await findLoginProvider(tx, name)
        if (!known)
          throw new TrueupError('NOT_FOUND', { doing: `removing the login provider "${name}"`, why: 'there is none' })
        const people = await deleteLoginProvider(tx, known.id)
        for (const userId of people) await revokeAllTokens(tx, userId, null)
        const data = { name, people: people.length }
        await appendAudit(tx, { ...by(request), action: 'login-provider.remove', subject: known.id, data })
      })
      return { ok: true as const }
    },
  )
}
