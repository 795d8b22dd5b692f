import { createHash, randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import { nowOf, type Queries } from '../../store/database/context.ts'
import { getMeta, setMeta } from '../../store/database/meta.ts'
import {
  createSecondFactor,
  deleteSecondFactor,
  findSecondFactor,
  patchSecondFactor,
  replaceRecoveryCodes,
  type SecondFactor,
  useRecoveryCode,
} from '../../store/people/second-factors.ts'
import type { User } from '../../store/people/users.ts'

/** RFC 6238, as every app does it: SHA-1, six digits, thirty seconds. */
const PERIOD_S = 30
/** Steps that a clock may be wrong, either way. */
const WINDOW = 1
const SECRET_BYTES = 20
const RECOVERY_CODES = 10
/** Wrong codes in a row before the account waits, and how long, doubled with each further one. */
const FREE_TRIES = 5
const WAIT_MS = 60_000
const LONGEST_WAIT_MS = 3_600_000

/** Whose accounts need a second factor: those that log in by a password here. */
export const RULES = ['off', 'administrators', 'everyone'] as const
export type SecondFactorRule = (typeof RULES)[number]

const RULE = 'rule.second-factor'

export async function secondFactorRule(db: Queries): Promise<SecondFactorRule> {
  const said = await getMeta(db, RULE)
  return RULES.find((rule) => rule === said) ?? 'off'
}
export const setSecondFactorRule = (tx: Queries, rule: SecondFactorRule): Promise<void> => setMeta(tx, RULE, rule)

const context = (userId: string): string => `second-factor:${userId}`

const totpOf = (secret: Buffer, label = ''): TOTP =>
  new TOTP({
    issuer: 'Trueup',
    label,
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer }),
    period: PERIOD_S,
  })

/** Begins to give an account a second factor; one that was begun and never confirmed is over. CONFLICT where it has one. */
export async function beginEnrolment(
  tx: Queries,
  keys: DataKeys,
  user: User,
): Promise<{ secret: string; uri: string }> {
  const known = await findSecondFactor(tx, user.id)
  if (known && known.confirmedAt !== null)
    throw new TrueupError('CONFLICT', {
      doing: 'setting up a second factor',
      why: 'this account has one',
      next: 'Remove it first: `trueup second-factor remove`.',
    })
  await deleteSecondFactor(tx, user.id)
  const secret = randomBytes(SECRET_BYTES)
  const secretSealed = keys.seal(secret, context(user.id))
  await createSecondFactor(tx, { userId: user.id, secretSealed, lastStep: 0, failures: 0 })
  const totp = totpOf(secret, user.name)
  return { secret: totp.secret.base32, uri: totp.toString() }
}

/** The app shows the right code: from now on it is asked for. Answers with recovery codes, which are shown once. */
export async function confirmEnrolment(
  tx: Queries,
  keys: DataKeys,
  userId: string,
  code: string,
): Promise<string[] | null> {
  const factor = await findSecondFactor(tx, userId)
  if (!factor || factor.confirmedAt !== null)
    throw new TrueupError('CONFLICT', {
      doing: 'confirming a second factor',
      why: factor ? 'it is confirmed already' : 'none was begun',
      next: 'Begin with `trueup second-factor enrol`.',
    })
  if (!(await takeCode(tx, keys, factor, code))) return null
  await patchSecondFactor(tx, factor.id, { confirmedAt: nowOf(tx) })
  return await newRecoveryCodes(tx, userId)
}

/** New recovery codes; those from before are good for nothing. */
export async function newRecoveryCodes(tx: Queries, userId: string): Promise<string[]> {
  const made = Array.from(
    { length: RECOVERY_CODES },
    () => new Secret({ buffer: Uint8Array.from(randomBytes(10)).buffer }).base32,
  )
  await replaceRecoveryCodes(tx, userId, made.map(hashOf))
  return made.map((code) => code.toLowerCase().replaceAll(/(.{4})(?=.)/g, '$1-'))
}

/** Eighty random bits need no slow hash. */
const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex')

/**
 * Whether a code proves the second factor: one of the app, each good once, or a recovery code. What was wrong is counted, and
 * too much of it makes the account wait. To be called in a transaction that is kept also where the answer is no.
 */
export async function provesFactor(tx: Queries, keys: DataKeys, userId: string, code: string): Promise<boolean> {
  const factor = await findSecondFactor(tx, userId)
  if (!factor || factor.confirmedAt === null) return false
  return await takeCode(tx, keys, factor, code)
}

async function takeCode(tx: Queries, keys: DataKeys, factor: SecondFactor, given: string): Promise<boolean> {
  const now = nowOf(tx)
  if (factor.lockedUntil !== null && factor.lockedUntil > now) throw tooOften(factor.lockedUntil - now)
  const code = given.replaceAll(/[\s-]/g, '')
  const step = /^\d{6}$/.test(code) ? stepOf(keys, factor, code, now) : null
  // A step that was used, or one before it, is a code that somebody may have looked at.
  const good =
    step === null
      ? factor.confirmedAt !== null && (await useRecoveryCode(tx, factor.userId, hashOf(code.toUpperCase())))
      : step > factor.lastStep
  if (good) {
    await patchSecondFactor(tx, factor.id, { failures: 0, lockedUntil: null, ...(step !== null && { lastStep: step }) })
    return true
  }
  const failures = factor.failures + 1
  const wait = failures < FREE_TRIES ? null : Math.min(WAIT_MS * 2 ** (failures - FREE_TRIES), LONGEST_WAIT_MS)
  await patchSecondFactor(tx, factor.id, { failures, lockedUntil: wait === null ? null : now + wait })
  return false
}

/** The thirty seconds that a code is of, where it is one of this secret's around now. */
function stepOf(keys: DataKeys, factor: SecondFactor, code: string, now: number): number | null {
  const totp = totpOf(keys.open(factor.secretSealed, context(factor.userId)))
  const delta = totp.validate({ token: code, timestamp: now, window: WINDOW })
  return delta === null ? null : Math.floor(now / 1000 / PERIOD_S) + delta
}

const tooOften = (ms: number): TrueupError =>
  new TrueupError('TOO_MANY_REQUESTS', {
    doing: 'checking the second factor',
    why: `too many codes were wrong; the next one is looked at in ${Math.ceil(ms / 1000)} s`,
  })

export const wrongCode = (doing: string): TrueupError =>
  new TrueupError('SECOND_FACTOR_WRONG', { doing, why: 'the code is wrong, was used before, or is too old' })
