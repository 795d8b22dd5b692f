import { useMutation, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { createContext, useContext } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { t } from '../../strings/merge-requests.ts'
import { notify } from '../../ui/notice.tsx'

const route = getRouteApi('/shell/r/$repository/mr/$number')

/** Told of each commit that this page has made, so that the page does not warn of it as of somebody else's push. */
export const OwnCommits = createContext<(commit: string) => void>(() => {})

interface NewCommit {
  /** Tip of the source branch that the texts were made from. */
  head: string
  message: string
  files: { path: string; content: string }[]
}

/** Commits files to the source branch, by the rules of a push, and shows the plans that come of it. */
export function useCommit(repository: string, mr: Schemas['MergeRequest'], onDone: () => void) {
  const client = useQueryClient()
  const navigate = route.useNavigate()
  const own = useContext(OwnCommits)
  return useMutation({
    mutationFn: ({ message, ...rest }: NewCommit) =>
      ask(
        api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/commits', {
          params: { path: { repository, number: mr.number } },
          body: { ...rest, message: message.trim() },
        }),
      ),
    onSuccess: ({ commit: oid }) => {
      own(oid)
      notify(t.committedItsPlansAreBeing(oid.slice(0, 10)))
      onDone()
      void client.invalidateQueries()
      void navigate({ search: ({ tab: _tab, file: _file, ...rest }) => rest })
    },
  })
}
