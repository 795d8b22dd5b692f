import type { GitThere } from '../git-there.ts'
import { PROJECT_ID } from './answers.ts'
import type { DoubleState, DoubleUser } from './state.ts'

export interface Call {
  state: DoubleState
  git: GitThere
  user: DoubleUser
  /** Parts of the path that the route's pattern has caught. */
  parts: string[]
  query: URLSearchParams
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies have every shape
  body: any
}

export class Refusal extends Error {
  readonly status: number
  readonly body: object
  constructor(status: number, body: object) {
    super(JSON.stringify(body))
    this.status = status
    this.body = body
  }
}

export type Route = [pattern: string, answer: (call: Call) => Promise<{ status: number; body?: unknown }>]

export const ok = (body: unknown, status = 200) => ({ status, body })
export const missing = (what = 'Not Found'): never => {
  throw new Refusal(404, { message: `404 ${what}` })
}
export function may({ state, user }: Call, level: number): void {
  if ((state.levels.get(user.username) ?? 0) < level) throw new Refusal(403, { message: '403 Forbidden' })
}

export const P = `/v4/projects/${PROJECT_ID}`
