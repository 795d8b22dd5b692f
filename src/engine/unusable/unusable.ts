import { TrueupError } from '../../lib/errors/error.ts'

/**
 * Repositories whose Git directory is damaged, with what is wrong. They are set aside: nothing is read from them or written
 * to them, no conclusion is drawn from what is missing in them, and all others are served.
 */
export interface Unusable {
  /** What is wrong with it, or null where it is served. */
  why(repositoryId: string): string | null
  /** Ids of those that are set aside. */
  all(): string[]
  setAside(repositoryId: string, why: string): void
  /** It is whole again. */
  takeBack(repositoryId: string): void
}

export function createUnusable(): Unusable {
  const aside = new Map<string, string>()
  return {
    why: (repositoryId) => aside.get(repositoryId) ?? null,
    all: () => [...aside.keys()],
    setAside: (repositoryId, why) => void aside.set(repositoryId, why),
    takeBack: (repositoryId) => void aside.delete(repositoryId),
  }
}

/** The error for everything that needs a repository which is set aside. */
export const unusableError = (doing: string, why: string): TrueupError =>
  new TrueupError('REPOSITORY_UNUSABLE', { doing, why: `the repository is damaged: ${why}` })
