import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/stack.ts'
import { driftLook } from '../../text.ts'
import { Act } from '../../ui/act.tsx'
import { Panel, TextField } from '../../ui/basics.tsx'
import { isLong, LineDiff, valueText } from '../../ui/plan.tsx'
import { Mark, State } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

type Record = Schemas['DriftRecord']

export function StackDrift({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const open = stack.recentDrift.filter(({ state }) => state === 'open')
  const closed = stack.recentDrift.filter(({ state }) => state !== 'open')
  if (open.length + closed.length === 0) return null
  return (
    <Panel title={open.length > 0 ? t.openDrift(stack.drift.open) : t.noOpenDrift} flush>
      {open.length > 0 && <DriftTable repository={repository} records={open} />}
      {closed.length > 0 && (
        <details className="border-t border-line">
          <summary className="px-3 py-1.5 text-muted">{t.driftThatIsOver}</summary>
          <ul className="divide-y divide-line border-t border-line">
            {closed.map((record) => (
              <li key={record.id} className="flex flex-wrap gap-x-3 px-3 py-1">
                <State look={driftLook(record.state)} />
                <code className="wrap-anywhere">
                  {record.address} {record.attribute}
                </code>
                {record.accepted && <span className="text-muted">{record.accepted.reason}</span>}
                <span className="ml-auto text-muted">
                  <Time at={record.closedAt ?? record.lastSeenAt} />
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  )
}

export function DriftTable({ repository, records }: { repository: string; records: readonly Record[] }) {
  return (
    <ul className="divide-y divide-line" aria-label={t.drift}>
      {records.map((record) => (
        <li key={record.id} className="flex flex-col gap-1 px-3 py-2">
          <div className="flex items-start gap-2">
            <span className="pt-0.5">
              <Mark look={driftLook(record.state)} label />
            </span>
            <p className="min-w-0 wrap-anywhere">
              <code className="font-medium">{record.address}</code>{' '}
              <code className="text-muted">{record.attribute || t.theWholeResource}</code>
              {record.healCount > 1 && (
                <span className="block text-sm text-warn">{t.healedTimesSomethingKeepsChanging(record.healCount)}</span>
              )}
            </p>
            <span className="ml-auto flex shrink-0 items-center gap-3 text-muted">
              <Time at={record.since} />
              {record.state === 'open' && <Accept repository={repository} record={record} />}
            </span>
          </div>
          <Values record={record} />
          <Maker record={record} />
        </li>
      ))}
    </ul>
  )
}

/** Who made it so, and between when and when, as far as the target tells. */
function Maker({ record: { changedBy, rightUntil, since } }: { record: Record }) {
  return (
    <p className="text-sm text-muted md:pl-5">
      {changedBy === null ? (
        t.theTargetDoesNotTellWho
      ) : (
        <>
          {t.changedByThe(changedBy.how === 'manager' ? t.fieldManager : t.owner)}
          <code className="text-ink wrap-anywhere">{changedBy.who}</code>{' '}
          {changedBy.at !== undefined && <Time at={changedBy.at} />}
        </>
      )}
      {rightUntil !== null && (
        <>
          {t.asItShouldBeUntil}
          <Time at={rightUntil} />
          {t.seen}
          <Time at={since} />
        </>
      )}
    </p>
  )
}

/** What should be and what is: beside each other where both are short, line by line where one is not. */
function Values({ record }: { record: Record }) {
  const [expected, actual] = [valueText(record.expected, false), valueText(record.actual, false)]
  if (isLong(expected) || isLong(actual))
    return (
      <div className="md:pl-5">
        <p className="text-sm text-muted">
          <span className="text-bad">{t.expected}</span> <span className="text-ok">{t.thereIs}</span>
        </p>
        <LineDiff before={expected ?? ''} after={actual ?? ''} />
      </div>
    )
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-3 md:pl-5">
      {(
        [
          ['expected', expected, 'text-ok'],
          [t.thereIs2, actual, 'text-bad'],
        ] as const
      ).map(([word, text, ink]) => (
        <div key={word} className="contents">
          <dt className="text-sm text-muted">{word}</dt>
          <dd className="wrap-anywhere">
            {text === null ? <em className="text-muted">{t.nothing}</em> : <code className={ink}>{text}</code>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Accept({ repository, record }: { repository: string; record: Record }) {
  const whyNot = useWhyNot(repository)('drift.accept')
  const [until, setUntil] = useState('')
  return (
    <Act
      label={t.accept}
      title={t.letItBeAsIt}
      lead={`${record.address} ${record.attribute}`}
      command={`trueup drift accept ${record.id} --reason REASON --repo ${repository}`}
      run={(reason) =>
        ask(
          api.POST('/api/v1/repositories/{repository}/drift/{record}/accept', {
            params: { path: { repository, record: record.id } },
            body: { reason, until: until ? new Date(until).getTime() : null },
          }),
        )
      }
      done={t.accepted}
      reason={{ label: t.why }}
      whyNot={whyNot}
    >
      <TextField label={t.until} hint={t.thenItCountsAsDrift} type="datetime-local" value={until} set={setUntil} />
    </Act>
  )
}
