import { z } from 'zod'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { ExecutableConfig } from '../config.ts'
import { checkEnded, toolFailed } from '../../tools/verdict.ts'
import { DRIVER_PROTOCOL, isAllowed, Message, type MessageOf, type Verb } from './messages.ts'

export type ExecutableContext = DriverContext<ExecutableConfig>

const LINE_BYTES = 4 * 1024 * 1024
const ANSWER_BYTES = 64 * 1024 * 1024
const STDERR_BYTES = 64 * 1024
/** How a line ends that the supervision has cut. */
const CUT_LINE = /\[\d+ bytes of this line left out\]$/

/** Everything a program said to one verb, in order; `end` is its last word. */
export interface Answer {
  messages: Message[]
  end: MessageOf<'done'> | MessageOf<'error'>
  canceled: boolean
}

/**
 * Asks the executable one thing: one process, the request as one JSON document on stdin, one JSON object per line on
 * stdout, anything on stderr for the run's log.
 * @throws TOOL_OUTPUT naming the line that is not of the protocol; TOOL_FAILED when it ends without `done` or `error`;
 *   CANCELED, TIMED_OUT (not for `apply`, which must tell what it has done: see `Answer.canceled`).
 */
export async function ask(context: ExecutableContext, verb: Verb, plan?: DriverPlan): Promise<Answer> {
  const { config } = context
  const doing = `asking ${config.executable} to ${verb === 'versions' ? 'tell its version' : verb}`
  const reader = answerReader(context, verb, doing)
  const result = await context.run({
    argv: [config.executable, ...config.args],
    cwd: context.directory,
    env: context.env,
    input: `${JSON.stringify(request(context, verb, plan))}\n`,
    quiet: true,
    maxOutputBytes: STDERR_BYTES,
    maxLineBytes: LINE_BYTES,
    signal: AbortSignal.any([reader.stop, context.signal]),
    onLine: reader.line,
  })
  const { messages, fault } = reader
  if (fault && verb !== 'apply') throw fault
  // What it has done by then must not get lost.
  if (fault)
    return {
      messages,
      end: { type: 'error', message: fault.text.why, fault: 'failed' },
      canceled: context.signal.aborted,
    }
  const end = messages.at(-1)
  const stopped = result.canceled || result.timedOut
  if (end?.type === 'error' || (end?.type === 'done' && result.exitCode === 0))
    return { messages, end, canceled: stopped }
  if (verb === 'apply' && stopped)
    return { messages, end: { type: 'error', message: 'it was stopped', fault: 'failed' }, canceled: true }
  checkEnded(doing, result)
  // stdout is the protocol's and has been told line by line; what went wrong stands on stderr.
  const failure = toolFailed(doing, { ...result, stdout: '' })
  if (verb !== 'apply') throw failure
  return { messages, end: { type: 'error', message: failure.text.why, fault: 'failed' }, canceled: false }
}

function request(context: ExecutableContext, verb: Verb, plan?: DriverPlan): object {
  const { stack, kind, destroy, config, inputs, directory, workspace, scratch, cache, ignore, toolVersion } = context
  const { repository, environment, name, path } = stack
  return {
    trueup: DRIVER_PROTOCOL,
    verb,
    ...(kind && { run: kind }),
    destroy,
    stack: { repository, environment, name, path },
    settings: config.settings,
    inputs,
    ignore,
    directory,
    workspace,
    scratch,
    cache,
    ...(toolVersion !== undefined && { toolVersion }),
    ...(plan && { plan: { changes: plan.changes.map(({ type, ...change }) => ({ ...change, resource: type })) } }),
  }
}

interface AnswerReader {
  messages: Message[]
  /** The first violation of the protocol; the program is stopped then. */
  readonly fault: TrueupError | undefined
  readonly stop: AbortSignal
  line: (text: string, stream: 'stdout' | 'stderr') => void
}

function answerReader(context: ExecutableContext, verb: Verb, doing: string): AnswerReader {
  const stop = new AbortController()
  const messages: Message[] = []
  let fault: TrueupError | undefined
  let number = 0
  let bytes = 0

  const violation = (why: string) => {
    fault = new TrueupError('TOOL_OUTPUT', {
      doing,
      why: `line ${number} of its answer: ${why}`,
      next: 'Correct the program; docs/driver-protocol.md describes every message.',
    })
    stop.abort(fault)
  }
  const onMessage = (message: Message) => {
    const last = messages.at(-1)?.type
    if (last === 'done' || last === 'error')
      return violation(`"${message.type}" after "${last}", which must be the last`)
    if (!isAllowed(verb, message.type)) return violation(`"${message.type}" is no answer to "${verb}"`)
    messages.push(message)
    if (message.type === 'secret') context.mask(message.value)
    if (message.type === 'log') context.log(message.message)
    if (message.type === 'progress') context.log(progress(message))
  }
  return {
    messages,
    get fault() {
      return fault
    },
    stop: stop.signal,
    line(text, stream) {
      if (stream === 'stderr') return context.log(text)
      if (fault) return
      number++
      bytes += text.length
      if (text.trim() === '') return
      if (bytes > ANSWER_BYTES) return violation(`the answer is longer than ${ANSWER_BYTES} characters`)
      const message = parseLine(text)
      if (typeof message === 'string') violation(message)
      else onMessage(message)
    },
  }
}

/** A message, or what is wrong with the line. */
function parseLine(text: string): Message | string {
  let value: unknown
  let parsed: ReturnType<typeof Message.safeParse>
  try {
    value = JSON.parse(text)
  } catch {
    if (text.length >= LINE_BYTES / 4 && CUT_LINE.test(text)) return `longer than ${LINE_BYTES / 1024 / 1024} MiB`
    return `not JSON: ${text.slice(0, 120)}`
  }
  try {
    parsed = Message.safeParse(value)
  } catch (thrown) {
    if (thrown instanceof RangeError) return `nested too deeply: ${text.slice(0, 120)}`
    throw thrown
  }
  if (parsed.success) return parsed.data
  return `${z.prettifyError(parsed.error).replaceAll('\n', ' ').slice(0, 500)} in ${text.slice(0, 120)}`
}

const progress = ({ done, total, message }: MessageOf<'progress'>): string =>
  [`${done}${total === undefined ? '' : `/${total}`}`, message].filter(Boolean).join(' ')
