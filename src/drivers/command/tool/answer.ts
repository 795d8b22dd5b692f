import type { Finding, Output } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { textsIn } from '../../../lib/json.ts'
import type { Answer, ExecutableContext } from './conversation.ts'
import { FAULTS, type Message, type MessageOf } from './messages.ts'

/** What the program said of one kind, in order. */
export function messagesOf<T extends Message['type']>({ messages }: Answer, type: T): MessageOf<T>[] {
  return messages.filter((message): message is MessageOf<T> => message.type === type)
}

/** A message without what tells it from others on the wire. */
export function bodyOf<T extends Message>(message: T): Omit<T, 'type'> {
  const copy: Omit<T, 'type'> & { type?: string } = { ...message }
  delete copy.type
  return copy
}

export const findingsOf = (answer: Answer): Finding[] => messagesOf(answer, 'finding').map(bodyOf)

/** Its outputs; those that are sensitive are masked from here on. */
export function outputsOf(answer: Answer, context: ExecutableContext): { [name: string]: Output } {
  const named = messagesOf(answer, 'output').map((message) => {
    const { name, ...output } = bodyOf(message)
    if (output.sensitive) for (const text of textsIn(output.value)) context.mask(text)
    return [name, output] as const
  })
  return Object.fromEntries(named)
}

/** The answer, unless the program ended with an error: that is thrown, as its `fault` says. */
export function succeeded(answer: Answer, context: ExecutableContext, doing: string): Answer {
  if (answer.end.type === 'error') throw failureOf(answer.end, context, doing)
  return answer
}

export function failureOf(end: MessageOf<'error'>, { config }: ExecutableContext, doing: string): TrueupError {
  return new TrueupError(FAULTS[end.fault], {
    doing: `${doing} with ${config.executable}`,
    why: end.message,
    ...(end.next !== undefined && { next: end.next }),
  })
}
