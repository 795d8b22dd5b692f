import { type KubeObject, type ObjectRef, valueAt } from '../objects/object.ts'
import type { Session } from '../session.ts'

/** What a controller has said of an object. */
export interface Complaint {
  /** `FailedCreate: pods "a" is forbidden: exceeded quota`. */
  text: string
  /** Changes when it says so again. */
  mark: string
}

/** What the controller of an object last complained of; null where it did not, or where we may not read it. */
export async function lastComplaint(session: Session, ref: ObjectRef, signal: AbortSignal): Promise<Complaint | null> {
  if (ref.namespace === '') return null
  const selector = `involvedObject.kind=${ref.kind},involvedObject.name=${ref.name},type=Warning`
  const path = `/api/v1/namespaces/${encodeURIComponent(ref.namespace)}/events?limit=50&fieldSelector=${encodeURIComponent(selector)}`
  const call = { doing: `reading the events of ${ref.kind}/${ref.namespace}/${ref.name}`, path, signal }
  const { status, body } = await session.client.ask<{ items: KubeObject[] }>(call)
  // Events help to understand; without the right to read them the rest still holds.
  if (status >= 300) return null
  const when = (event: KubeObject): string => {
    const time = valueAt(event, 'lastTimestamp') ?? valueAt(event, 'eventTime')
    return typeof time === 'string' ? time : ''
  }
  const last = (body as { items: KubeObject[] }).items.toSorted((a, b) => (when(a) < when(b) ? -1 : 1)).at(-1)
  if (!last) return null
  const text = [valueAt(last, 'reason'), valueAt(last, 'message')].filter(Boolean).join(': ')
  return { text, mark: `${last.metadata.name} ${String(valueAt(last, 'count'))} ${when(last)}` }
}
