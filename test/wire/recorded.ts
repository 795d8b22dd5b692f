import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A frame of a recorded conversation (`scripts/record-wire.ts`). */
export interface Recorded {
  from: 'worker' | 'server'
  frame: {
    id?: number
    method?: string
    params?: { [name: string]: unknown }
    result?: { [name: string]: unknown }
    event?: string
  }
}

/** Protocols of which there is a recording. */
export const RECORDED = [1, 2]

export const recordingOf = (protocol: number): Recorded[] =>
  JSON.parse(readFileSync(join(import.meta.dirname, `protocol-${protocol}.json`), 'utf8'))

/** The answer to each call, by its method; of leases the one that granted a run. */
export function answersIn(recording: Recorded[]): Map<string, { [name: string]: unknown }> {
  const answers = new Map<string, { [name: string]: unknown }>()
  for (const { frame } of recording) {
    if (frame.method === undefined) continue
    const answer = recording.find(({ from, frame: { id } }) => from === 'server' && id === frame.id)?.frame.result
    if (answer && (frame.method !== 'lease' || answer['grant'] !== null)) answers.set(frame.method, answer)
  }
  return answers
}

/** The same of two minor versions later: members, methods, events and frames that nobody knows yet. */
export function twoMinorsLater(recording: Recorded[], protocol: number): Recorded[] {
  const later = recording.map(({ from, frame }): Recorded => {
    if (frame.method === undefined) return { from, frame: { ...frame, ...withNews(frame) } }
    const hello = frame.method === 'hello' && { protocol: protocol + 2, oldest: protocol, version: '0.3.0' }
    return { from, frame: { ...frame, params: { ...withNews(frame.params ?? {}), ...hello } } }
  })
  const [call, notice] = [
    { id: 9_001, method: 'dream', params: { of: 'sheep' } },
    { notice: 'of a kind that comes later' } as object,
  ]
  return [later[0]!, ...later.slice(1), { from: 'worker', frame: notice }, { from: 'worker', frame: call }]
}

/** An object with one member more, and so in all objects inside whose members are fixed. */
function withNews<T extends object>(value: T): T {
  const inside = Object.entries(value).map(([name, member]) => [
    name,
    FREE.has(name) || typeof member !== 'object' || member === null ? member : newsIn(member),
  ])
  return { ...Object.fromEntries(inside), news: { since: 'later' } }
}

const newsIn = (value: object): unknown =>
  Array.isArray(value)
    ? value.map((each) => (typeof each === 'object' && each ? withNews(each) : each))
    : withNews(value)

/** Maps, whose members are names of the user's. */
const FREE = new Set(['outputs', 'toolVersions', 'variables', 'inputs', 'driverConfig', 'before', 'after'])
