import { type ChangeKind, met, unmet, warning } from './kind.ts'

export const threads: ChangeKind = ({ unresolvedThreads, threadsBlock }) => {
  if (unresolvedThreads === 0) return [met('threads', 'no open threads')]
  const message = `${unresolvedThreads} unresolved ${unresolvedThreads === 1 ? 'thread' : 'threads'}`
  const asked = threadsBlock ? unmet : warning
  return [asked('threads', message, 'Answer and resolve the conversation.')]
}
