import { useQuery } from '@tanstack/react-query'
import type { Schemas } from '../../api/client.ts'
import { mrCommitsQuery } from '../../api/queries.ts'
import { t } from '../../strings/merge-requests.ts'
import { Hash, Panel } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { Time } from '../../ui/time.tsx'

export function Commits({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const query = useQuery(mrCommitsQuery(repository, mr.number, mr.head))
  return (
    <Loaded query={query}>
      {(commits) => (
        <Panel flush>
          <ul className="divide-y divide-line">
            {commits.map((commit) => {
              const [subject, ...body] = commit.message.split('\n')
              return (
                <li key={commit.oid} className="px-3 py-1.5">
                  <p className="flex gap-3">
                    <span className="font-medium wrap-anywhere">{subject}</span>
                    <span className="ml-auto">
                      <Hash value={commit.oid} />
                    </span>
                  </p>
                  <p className="text-sm text-muted">
                    {commit.author.name} <Time at={commit.author.at} />
                  </p>
                  {body.join('\n').trim() && (
                    <pre className="mt-1 whitespace-pre-wrap text-muted">{body.join('\n').trim()}</pre>
                  )}
                </li>
              )
            })}
            {commits.length === 0 && <li className="px-3 py-2 text-muted">{t.noCommitsOfItsOwn}</li>}
            {commits.length >= 250 && <li className="px-3 py-2 text-muted">{t.olderOnesAreNotShown}</li>}
          </ul>
        </Panel>
      )}
    </Loaded>
  )
}
