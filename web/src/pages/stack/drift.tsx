import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { driftLook } from '../../text.ts'
import { Act } from '../../ui/act.tsx'
import { Field, Panel } from '../../ui/basics.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { valueText } from '../../ui/plan.tsx'
import { Mark, State } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'

type Record = Schemas['DriftRecord']

export function StackDrift({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const open = stack.recentDrift.filter(({ state }) => state === 'open')
  const closed = stack.recentDrift.filter(({ state }) => state !== 'open')
  if (open.length + closed.length === 0) return null
  return (
    <Panel title={open.length > 0 ? `Open drift: ${stack.drift.open}` : 'No open drift'} flush>
      {open.length > 0 && <DriftTable repository={repository} records={open} />}
      {closed.length > 0 && (
        <details className="border-t border-line">
          <summary className="px-3 py-1.5 text-muted">Drift that is over</summary>
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
    <Table label="Drift" heads={['What', 'Expected', 'There is', 'Since', '']}>
      {records.map((record) => (
        <tr key={record.id}>
          <td className={cell}>
            <p className="flex gap-1.5">
              <Mark look={driftLook(record.state)} label />
              <code className="font-medium wrap-anywhere">{record.address}</code>
            </p>
            <code className="text-muted wrap-anywhere">{record.attribute || 'the whole resource'}</code>
            {record.healCount > 1 && (
              <p className="text-sm text-warn">healed {record.healCount} times: something keeps changing it</p>
            )}
          </td>
          <td className={`${cell} max-w-80`}>
            <Value value={record.expected} ink="text-ok" />
          </td>
          <td className={`${cell} max-w-80`}>
            <Value value={record.actual} ink="text-bad" />
          </td>
          <td className={`${cell} text-muted`}>
            <Time at={record.since} />
          </td>
          <td className={`${cell} text-right`}>
            {record.state === 'open' && <Accept repository={repository} record={record} />}
          </td>
        </tr>
      ))}
    </Table>
  )
}

function Value({ value, ink }: { value: unknown; ink: string }) {
  const text = valueText(value, false)
  if (text === null) return <em className="text-muted">nothing</em>
  return (
    <pre
      className={`max-h-32 overflow-y-auto whitespace-pre-wrap wrap-anywhere ${ink}`}
      tabIndex={text.length > 400 ? 0 : undefined}
    >
      {text}
    </pre>
  )
}

function Accept({ repository, record }: { repository: string; record: Record }) {
  const whyNot = useWhyNot(repository)('drift.accept')
  const [until, setUntil] = useState('')
  return (
    <Act
      label="Accept"
      title="Let it be as it is"
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
      done="Accepted"
      reason={{ label: 'Why' }}
      whyNot={whyNot}
    >
      <Field label="Until" hint="Then it counts as drift again; empty means without end.">
        <input type="datetime-local" value={until} onChange={(event) => setUntil(event.target.value)} />
      </Field>
    </Act>
  )
}
