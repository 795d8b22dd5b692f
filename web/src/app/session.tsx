import { useSuspenseQuery } from '@tanstack/react-query'
import { repositoriesQuery, sessionQuery } from '../api/queries.ts'
import { t } from '../strings/frame.ts'

/** The person that is logged in; routes below the shell have one. */
export const useSession = () => useSuspenseQuery(sessionQuery).data

/** Why this person may not do an action in a repository, or null where they may. The server has the last word. */
export function useWhyNot(repository: string): (action: string) => string | null {
  const known = useSuspenseQuery(repositoriesQuery).data.find(({ name }) => name === repository)
  return (action) => {
    if (!known || known.may.includes(action)) return null
    return t.yourRoleHereDoesNot(known.role ?? 'none', action)
  }
}

export function useMay(): (action: string) => boolean {
  const { may } = useSession()
  return (action) => may.includes(action)
}
