import { z } from 'zod'
import { ChangeMessage, CoverageMessage, FindingMessage, OutputMessage } from './wire.ts'

/** Version of the driver protocol; a request names it, and a program that knows only others answers with an error. */
export const DRIVER_PROTOCOL = 1

export const VERBS = ['versions', 'validate', 'plan', 'apply'] as const
export type Verb = (typeof VERBS)[number]

/** What `error` may be about; decides what Trueup advises, and whether a repeat makes sense. */
export const FAULTS = {
  failed: 'TOOL_FAILED',
  source: 'SOURCE_INVALID',
  unreachable: 'TARGET_UNREACHABLE',
  denied: 'TARGET_DENIED',
  locked: 'STATE_LOCKED',
  stale: 'PLAN_STALE',
  missing: 'TOOL_MISSING',
} as const

/** One line of a program's answer, by its `type`. */
export const Message = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('log'), message: z.string() }),
  z.strictObject({
    type: z.literal('progress'),
    done: z.number().min(0),
    total: z.number().min(0).optional(),
    message: z.string().optional(),
  }),
  z.strictObject({ type: z.literal('secret'), value: z.string() }),
  z.strictObject({ type: z.literal('version'), tool: z.string().min(1).max(100), version: z.string().min(1).max(100) }),
  ChangeMessage.extend({ type: z.literal('change') }),
  CoverageMessage.extend({ type: z.literal('coverage') }),
  OutputMessage.extend({
    type: z.literal('output'),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, dash and underscore, at most 63'),
  }),
  FindingMessage.extend({ type: z.literal('finding') }),
  z.strictObject({
    type: z.literal('applied'),
    address: z.string().min(1).max(1_000),
    status: z.enum(['done', 'failed', 'skipped']),
    message: z.string().max(10_000).optional(),
  }),
  z.strictObject({ type: z.literal('done') }),
  z.strictObject({
    type: z.literal('error'),
    message: z.string().min(1).max(10_000),
    fault: z.enum(Object.keys(FAULTS) as [keyof typeof FAULTS, ...(keyof typeof FAULTS)[]]).default('failed'),
    next: z.string().max(2_000).optional(),
  }),
])
export type Message = z.infer<typeof Message>
export type MessageOf<T extends Message['type']> = Extract<Message, { type: T }>

/** Messages that make sense in answer to a verb, besides those that every verb may answer. */
const EVERYWHERE = ['log', 'progress', 'secret', 'finding', 'done', 'error'] as const
const ALLOWED: { [V in Verb]: readonly Message['type'][] } = {
  versions: ['version'],
  validate: [],
  plan: ['change', 'coverage', 'output', 'version'],
  apply: ['applied', 'output'],
}

export const isAllowed = (verb: Verb, type: Message['type']): boolean =>
  ALLOWED[verb].includes(type) || (EVERYWHERE as readonly string[]).includes(type)
