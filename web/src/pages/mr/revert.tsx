import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api, ask, type Schemas } from '../../api/client.ts'
import { deploymentsQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { Act } from '../../ui/act.tsx'
import { TakesBack } from '../stack/takes-back.tsx'

/** So many stacks are shown with what going back destroys in them. */
const SHOWN = 8

/** Taking the whole of a merged request back, by another one on the fast lane; says first what that takes back. */
export function Revert({ repository, mr }: { repository: string; mr: Schemas['MergeRequest'] }) {
  const whyNot = useWhyNot(repository)('rollback.create')
  const navigate = useNavigate()
  const query = useInfiniteQuery(deploymentsQuery(repository, { mr: mr.number }))
  const all = (query.data?.pages.flatMap(({ items }) => items) ?? []).filter(({ kind }) => kind === 'deploy')
  const [any] = all
  if (!any) return null
  // One that was tried several times: the newest of each stack.
  const newest = [...new Map(all.toReversed().map((each) => [each.stack, each])).values()]
  const rest = newest.length - SHOWN + (query.hasNextPage ? 1 : 0)
  return (
    <div className="border-t border-line px-3 py-2">
      <Act
        label={t.revertNumber(mr.number)}
        title={t.takeBack2(mr.number)}
        lead={t.aMergeRequestRevertsAll}
        command={`trueup rollback --mr ${mr.number} --reason REASON --repo ${repository}`}
        run={async (reason) => {
          const made = await ask(
            api.POST('/api/v1/repositories/{repository}/rollbacks', {
              params: { path: { repository } },
              body: { reason, target: { what: 'deployment', deployment: any.id } },
            }),
          )
          await navigate({ to: '/r/$repository/mr/$number', params: { repository, number: String(made.number) } })
        }}
        done={t.theRevertIsMade}
        reason={{ label: t.why }}
        variant="danger"
        whyNot={whyNot}
      >
        <div
          className="flex max-h-72 flex-col gap-2 overflow-y-auto"
          tabIndex={0}
          role="group"
          aria-label={t.whatItTakesBack}
        >
          {newest.slice(0, SHOWN).map((deployment) => (
            <TakesBack key={deployment.id} deployment={deployment} named />
          ))}
          {rest > 0 && <p className="text-muted">{t.andOtherStacksTheyAre}</p>}
        </div>
      </Act>
    </div>
  )
}
