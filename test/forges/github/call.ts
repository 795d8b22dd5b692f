import type { GitThere } from '../git-there.ts'
import type { Operation } from './described.ts'
import type { DoublePull, DoubleState, DoubleUser } from './state.ts'

export interface Call {
  state: DoubleState
  git: GitThere
  /** Whoever asks; of an App its account. */
  user: DoubleUser
  /** Parts of the path that the operation names, in their order, without owner and repository. */
  parts: string[]
  query: URLSearchParams
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies have every shape
  body: any
}

export class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export type Route = [operation: Operation, answer: (call: Call) => Promise<{ status: number; body?: unknown }>]

export const ok = (body: unknown, status = 200) => ({ status, body })
export const nothing = { status: 204 }
export const missing = (): never => {
  throw new Refusal(404, 'Not Found')
}
export function may({ state, user }: Call, ...permissions: string[]): void {
  if (!permissions.includes(state.permissions.get(user.login) ?? 'none'))
    throw new Refusal(403, 'Resource not accessible by personal access token')
}
export const mayWrite = (call: Call): void => may(call, 'write', 'admin')
export const pullOf = ({ state, parts }: Call): DoublePull =>
  state.pulls.find(({ number }) => number === Number(parts[0])) ?? missing()

export const REPOSITORY_ID = 11
export const userJson = ({ id, login }: DoubleUser) => ({ id, login })
export const repositoryJson = ({ state, user }: Pick<Call, 'state' | 'user'>) => {
  const permission = state.permissions.get(user.login) ?? 'none'
  const isAdmin = permission === 'admin'
  return {
    id: REPOSITORY_ID,
    name: state.name,
    full_name: `owner/${state.name}`,
    default_branch: 'main',
    private: state.isPrivate,
    archived: false,
    permissions: { admin: isAdmin, push: isAdmin || permission === 'write', pull: permission !== 'none' },
    allow_merge_commit: true,
    allow_squash_merge: true,
    allow_rebase_merge: true,
  }
}
