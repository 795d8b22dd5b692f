import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { Act } from '../../ui/act.tsx'
import { Panel } from '../../ui/basics.tsx'

/** Who does not count because commits name them, and letting them. Anybody can write any name into a commit. */
export function Named({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const whyNot = useWhyNot(repository)('mr.lift')
  const named = mr.makers.filter(({ how }) => how === 'named')
  if (named.length === 0) return null
  return (
    <Panel title={t.namedInItsCommits} flush>
      <ul className="divide-y divide-line">
        {named.map(({ user, commits }) => (
          <li key={user} className="flex flex-wrap items-center gap-2 px-3 py-1.5">
            <span className="min-w-0 grow">
              <span className="font-medium">{user}</span>{' '}
              <span className="text-muted">{t.doesNotCount(commits.map((oid) => oid.slice(0, 10)).join(', '))}</span>
            </span>
            <Act
              label={t.letVote}
              title={t.letVoteOn(user, mr.number)}
              lead={t.anybodyCanWriteAnyName}
              command={`trueup mr lift ${mr.number} ${user} REASON --repo ${repository}`}
              run={(reason) =>
                ask(
                  api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/lifts', {
                    params: { path: { repository, number: mr.number } },
                    body: { user, reason },
                  }),
                )
              }
              done={t.mayVote(user)}
              reason={{ label: t.howYouKnowThatThey }}
              whyNot={whyNot}
            />
          </li>
        ))}
      </ul>
    </Panel>
  )
}
