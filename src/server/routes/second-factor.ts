import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import { deleteSecondFactor, findSecondFactor, recoveryCodesLeft } from '../../store/people/second-factors.ts'
import { getToken, proveToken } from '../../store/people/tokens.ts'
import { getUser } from '../../store/people/users.ts'
import { principalOf } from '../auth/enforce.ts'
import {
  beginEnrolment,
  confirmEnrolment,
  newRecoveryCodes,
  provesFactor,
  secondFactorRule,
  setSecondFactorRule,
  wrongCode,
} from '../auth/second-factor.ts'
import type { RouteModule } from '../parts.ts'
import { Done, Name } from '../schemas/common.ts'
import {
  RecoveryCodes,
  SecondFactorBegun,
  SecondFactorCode,
  SecondFactorRuleBody,
  SecondFactorState,
} from '../schemas/second-factor.ts'
import { by, userNamed } from './users.ts'

const OWN = '/api/v1/session/second-factor'
/** Guesses are counted by account as well (`auth/second-factor.ts`). */
const RATE = { max: 20, timeWindow: '1 minute' }

/** The second factor of one's account: set up, proven, replaced, removed; and the rule that asks for one. */
export const secondFactorRoutes: RouteModule<'store' | 'keys'> = (app, { store, keys }) => {
  const tags = ['session']

  app.get(
    OWN,
    {
      config: { action: 'second-factor.read' },
      schema: { tags, summary: 'The second factor of this account', response: { 200: SecondFactorState } },
    },
    async (request): Promise<SecondFactorState> => {
      const { userId, name, tokenId, owesSecondFactor = false } = principalOf(request)
      const factor = await findSecondFactor(store.db, userId)
      return {
        user: name,
        enrolledAt: factor?.confirmedAt ?? null,
        provenAt: (await getToken(store.db, tokenId))?.provenAt ?? null,
        recoveryCodesLeft: await recoveryCodesLeft(store.db, userId),
        owed: owesSecondFactor,
        rule: await secondFactorRule(store.db),
      }
    },
  )

  app.post(
    OWN,
    {
      config: { action: 'second-factor.enrol', secretAnswer: true },
      schema: {
        tags,
        summary: 'Begin to set up a second factor; it counts once a code of it was confirmed',
        response: { 201: SecondFactorBegun },
      },
    },
    async (request, reply) => {
      const user = (await getUser(store.db, principalOf(request).userId))!
      return reply.code(201).send(await store.transaction((tx) => beginEnrolment(tx, keys, user)))
    },
  )

  app.post(
    `${OWN}/confirm`,
    {
      config: { action: 'second-factor.enrol', rateLimit: RATE, secretAnswer: true },
      schema: {
        tags,
        summary: 'Confirm the second factor by a code; the answer holds recovery codes, which are shown once',
        body: SecondFactorCode,
        response: { 200: RecoveryCodes },
      },
    },
    async (request) => {
      const { userId, tokenId } = principalOf(request)
      const recoveryCodes = await store.transaction(async (tx) => {
        const codes = await confirmEnrolment(tx, keys, userId, request.body.code)
        if (codes === null) return null
        await proveToken(tx, tokenId)
        await note(tx, request, 'user.second_factor_set')
        return codes
      })
      if (recoveryCodes === null) throw wrongCode('confirming a second factor')
      return { recoveryCodes }
    },
  )

  app.post(
    `${OWN}/prove`,
    {
      config: { action: 'second-factor.prove', rateLimit: RATE },
      schema: {
        tags,
        summary: 'Prove the second factor once more, for environments that ask for it',
        body: SecondFactorCode,
        response: { 200: Done },
      },
    },
    async (request) => {
      await prove(request, 'proving the second factor', async (tx) => {
        await proveToken(tx, principalOf(request).tokenId)
        await note(tx, request, 'user.second_factor_proven')
      })
      return { ok: true as const }
    },
  )

  app.post(
    `${OWN}/recovery-codes`,
    {
      config: { action: 'second-factor.enrol', rateLimit: RATE, secretAnswer: true },
      schema: {
        tags,
        summary: 'New recovery codes in the place of the former ones',
        body: SecondFactorCode,
        response: { 200: RecoveryCodes },
      },
    },
    async (request) => {
      const recoveryCodes = await prove(request, 'making recovery codes', async (tx) => {
        await note(tx, request, 'user.recovery_codes')
        return await newRecoveryCodes(tx, principalOf(request).userId)
      })
      return { recoveryCodes }
    },
  )

  app.delete(
    OWN,
    {
      config: { action: 'second-factor.enrol', rateLimit: RATE },
      schema: { tags, summary: 'Remove the second factor', body: SecondFactorCode, response: { 200: Done } },
    },
    async (request) => {
      await prove(request, 'removing the second factor', async (tx) => {
        await deleteSecondFactor(tx, principalOf(request).userId)
        await note(tx, request, 'user.second_factor_removed')
      })
      return { ok: true as const }
    },
  )

  app.delete(
    '/api/v1/users/:user/second-factor',
    {
      config: { action: 'user.manage' },
      schema: {
        tags: ['users'],
        summary: 'Take the second factor of somebody away who has lost it, with all recovery codes',
        params: z.object({ user: Name }),
        response: { 200: Done },
      },
    },
    async (request) => {
      await store.transaction(async (tx) => {
        const user = await userNamed(tx, request.params.user)
        await deleteSecondFactor(tx, user.id)
        await appendAudit(tx, { ...by(request), action: 'user.second_factor_removed', subject: user.id })
      })
      return { ok: true as const }
    },
  )

  app.put(
    '/api/v1/second-factor-rule',
    {
      config: { action: 'user.manage' },
      schema: {
        tags: ['users'],
        summary: 'Which accounts with a password need a second factor: off, administrators, everyone',
        body: SecondFactorRuleBody,
        response: { 200: SecondFactorRuleBody },
      },
    },
    async (request) => {
      const { rule } = request.body
      await store.transaction(async (tx) => {
        await setSecondFactorRule(tx, rule)
        await appendAudit(tx, { ...by(request), action: 'rule.second_factor', subject: 'server', data: { rule } })
      })
      return { rule }
    },
  )

  /** Does it where the code of the request is right. What was wrong stays counted. */
  async function prove<T>(
    request: Parameters<typeof principalOf>[0],
    doing: string,
    then: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const { code } = request.body as { code: string }
    const { userId } = principalOf(request)
    const done = await store.transaction(async (tx) => {
      const factor = await findSecondFactor(tx, userId)
      if (!factor || factor.confirmedAt === null)
        throw new TrueupError('SECOND_FACTOR_MISSING', { doing, why: 'this account has no second factor' })
      return (await provesFactor(tx, keys, userId, code)) ? { value: await then(tx) } : null
    })
    if (done === null) throw wrongCode(doing)
    return done.value
  }

  const note = (tx: Tx, request: Parameters<typeof by>[0], action: string) =>
    appendAudit(tx, { ...by(request), action, subject: principalOf(request).userId })
}
