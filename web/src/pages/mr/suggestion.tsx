import { useContext } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/merge-requests.ts'
import { Act } from '../../ui/act.tsx'
import { OwnCommits } from './own-commits.ts'

/** A change of lines that a comment proposes: what stands there, what should, and the button for who may commit it. */
export function Suggested({
  repository,
  mr,
  comment,
  path,
  settled,
}: {
  repository: string
  mr: Schemas['MergeRequest']
  comment: Schemas['Comment']
  path: string
  /** Its thread is resolved. */
  settled: boolean
}) {
  const whyNot = useWhyNot(repository)('git.push')
  const own = useContext(OwnCommits)
  return comment.suggestions.map(({ line, before, after }, at) => (
    <figure
      key={at}
      className="my-1.5 overflow-hidden rounded border border-line"
      aria-label={t.suggestionAtLine(line)}
    >
      <Lines sign="−" text={before} first={line} className="bg-bad-soft" />
      <Lines sign="+" text={after} first={line} className="bg-ok-soft" />
      {mr.state === 'open' && !settled && (
        <figcaption className="border-t border-line bg-sunken px-2 py-1">
          <Act
            label={t.apply}
            title={t.commitThisSuggestion}
            lead={t.itBecomesACommitOf(mr.sourceBranch)}
            command={`trueup mr apply ${mr.number} ${comment.id}${at === 0 ? '' : ` --suggestion ${at + 1}`} --repo ${repository}`}
            run={async () => {
              const { commit } = await ask(
                api.POST('/api/v1/repositories/{repository}/merge-requests/{number}/comments/{comment}/apply', {
                  params: { path: { repository, number: mr.number, comment: comment.id } },
                  body: { suggestion: at },
                }),
              )
              own(commit)
            }}
            done={t.appliedTo(path)}
            whyNot={whyNot}
          />
        </figcaption>
      )}
    </figure>
  ))
}

function Lines({ sign, text, first, className }: { sign: '+' | '−'; text: string; first: number; className: string }) {
  const lines = text.replace(/\r?\n$/, '').split('\n')
  if (text === '') return sign === '+' ? <p className="bg-ok-soft px-2 text-sm text-muted">{t.nothing}</p> : null
  return (
    <div className={`font-mono text-sm ${className}`}>
      {lines.map((line, at) => (
        <div key={at} className="grid grid-cols-[3.5em_1.5em_minmax(0,1fr)]">
          <span className="pr-1 text-right text-muted select-none">{first + at}</span>
          <span className="select-none">
            <span aria-hidden>{sign}</span>
            <span className="sr-only">{sign === '+' ? t.new : t.old}</span>
          </span>
          <span className="wrap-anywhere whitespace-pre-wrap">{line}</span>
        </div>
      ))}
    </div>
  )
}
