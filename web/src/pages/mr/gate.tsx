import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/merge-requests.ts'
import { Panel } from '../../ui/basics.tsx'
import { Sentence } from '../../ui/sentence.tsx'
import { Mark } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import type { Look } from '../../text.ts'

type Requirement = Schemas['MergeRequest']['requirements'][number]

const MET: Look = { label: 'met', tone: 'ok', shape: 'check', meaning: '' }
const MISSING: Look = { label: 'missing', tone: 'bad', shape: 'cross', meaning: '' }
const WARNING: Look = { label: 'warning', tone: 'warn', shape: 'triangle', meaning: '' }
const WAITING: Look = { label: 'waiting', tone: 'hold', shape: 'diamond', meaning: '' }

/** What is missing before it may merge, in words, and what brings it nearer. */
export function Gate({ mr }: { mr: Schemas['MergeRequest'] }) {
  const unmet = mr.requirements.filter(({ satisfied, blocking }) => blocking && !satisfied)
  const ordered = [...mr.requirements].sort((a, b) => rank(a) - rank(b))
  return (
    <>
      <Panel
        title={
          mr.mergeable ? t.itMayMerge : !mr.planned ? t.plansAreBeingMade : t.missingBeforeItMayMerge(unmet.length)
        }
        flush
      >
        <ul className="divide-y divide-line">
          {ordered.map((requirement, at) => (
            <li key={at} className="flex gap-2 px-3 py-1.5">
              <span className="pt-0.5">
                <Mark look={lookOf(requirement)} label />
              </span>
              <div className="min-w-0">
                <p className="wrap-anywhere">
                  {requirement.environment && <span className="font-medium">{requirement.environment}: </span>}
                  {requirement.message}
                </p>
                {!requirement.satisfied && requirement.next && (
                  <p className="text-sm text-muted wrap-anywhere">
                    <Sentence text={requirement.next} />
                  </p>
                )}
              </div>
            </li>
          ))}
          {mr.requirements.length === 0 && <li className="px-3 py-2 text-muted">{t.nothingIsAskedOfIt}</li>}
        </ul>
      </Panel>
      <Reviews reviews={mr.reviews} />
    </>
  )
}

/** What keeps it from merging, then what only warns, then what is met. */
const rank = ({ satisfied, blocking }: Requirement): number => (satisfied ? 2 : blocking ? 0 : 1)

function lookOf({ satisfied, blocking, name }: Requirement): Look {
  if (satisfied) return MET
  if (!blocking) return WARNING
  return name === 'approvals' ? WAITING : MISSING
}

const VERDICT = { approve: 'approved', request_changes: t.askedForChanges, comment: 'commented' } as const

export function Reviews({ reviews }: { reviews: Schemas['MergeRequest']['reviews'] }) {
  if (reviews.length === 0) return null
  return (
    <Panel title={t.reviews} flush>
      <ul className="divide-y divide-line">
        {reviews.map((review) => (
          <li key={review.id} className={`px-3 py-1.5 ${review.droppedAt === null ? '' : 'text-muted'}`}>
            <p className="flex gap-2">
              <span>
                <span className="font-medium">{review.user}</span> {VERDICT[review.verdict]}
              </span>
              <span className="ml-auto text-sm text-muted">
                <Time at={review.createdAt} />
              </span>
            </p>
            {review.verdict === 'approve' && (
              <p className="text-sm text-muted">
                {t.plansOf(Object.keys(review.digests).length)}
                <code>{review.head.slice(0, 10)}</code>
              </p>
            )}
            {review.body && <p className="wrap-anywhere">{review.body}</p>}
            {review.droppedAt !== null && (
              <p className="text-sm text-warn">{t.doesNotCountAnyMore(review.droppedReason ?? t.itWasTakenBack)}</p>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
