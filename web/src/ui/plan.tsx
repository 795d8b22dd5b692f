import { useState } from 'react'
import type { Schemas } from '../api/client.ts'
import { t } from '../strings/parts.ts'
import { CAUSE } from '../text.ts'

type Plan = Schemas['Plan']
type Change = Plan['changes'][number]
type Attribute = Change['attributes'][number]

const SIGN: Record<string, { sign: string; ink: string; word: string }> = {
  create: { sign: '+', ink: 'text-ok', word: 'create' },
  update: { sign: '~', ink: 'text-warn', word: 'change' },
  replace: { sign: '±', ink: 'text-hold', word: 'replace' },
  delete: { sign: '−', ink: 'text-bad', word: 'destroy' },
  read: { sign: '·', ink: 'text-muted', word: 'read' },
  import: { sign: '↧', ink: 'text-busy', word: 'import' },
  forget: { sign: '↥', ink: 'text-muted', word: 'forget' },
  none: { sign: '=', ink: 'text-muted', word: 'keep' },
}
const sign = (change: Change) =>
  SIGN[
    change.actions.includes('delete') && change.actions.includes('create') ? 'replace' : (change.actions[0] ?? 'none')
  ] ?? SIGN['none']!

/** A plan as people read it: by resource, each attribute before and after, and first of all what was not looked at. */
export function PlanView({ plan, open = 12 }: { plan: Plan; open?: number }) {
  const { unchecked, checked } = plan.coverage
  return (
    <div className="flex flex-col gap-2">
      {unchecked.length > 0 && <NotChecked unchecked={unchecked} checked={checked} />}
      {plan.findings.length > 0 && <Findings findings={plan.findings} />}
      {plan.changes.length === 0 && <p className="text-muted">{t.nothingWouldChange}</p>}
      <ChangeList changes={plan.changes} open={open} />
      <Outputs outputs={plan.outputs} />
      <p className="text-sm text-muted">
        {t.lookedAtPlan(checked)}
        <code title={plan.digest}>{plan.digest.slice(0, 19)}</code>
        {Object.entries(plan.toolVersions).map(([tool, version]) => ` · ${tool} ${version}`)}
      </p>
    </div>
  )
}

/** Changes by resource; where there are more than `open`, only those that destroy are unfolded. */
export function ChangeList({ changes, open = 12 }: { changes: readonly Change[]; open?: number }) {
  if (changes.length === 0) return null
  return (
    <ul className="flex flex-col gap-px overflow-hidden rounded border border-line bg-line">
      {changes.map((change, at) => (
        <li key={`${change.address} ${at}`} className="bg-panel">
          <ChangeView change={change} open={changes.length <= open || change.actions.includes('delete')} />
        </li>
      ))}
    </ul>
  )
}

function NotChecked({ unchecked, checked }: { unchecked: Plan['coverage']['unchecked']; checked: number }) {
  return (
    <details open={unchecked.length <= 8} className="rounded border border-warn/40 bg-warn-soft px-3 py-2">
      <summary className="font-medium">
        <span className="text-warn">{t.notChecked(unchecked.length)}</span>
        <span className="text-muted">{t.besideThatWereLookedAt(checked)}</span>
      </summary>
      <ul className="mt-1 flex flex-col gap-1">
        {unchecked.map(({ address, why, unreachable }) => (
          <li key={address} className="wrap-anywhere">
            <code className="font-medium">{address}</code> <span className="text-muted">{why}</span>
            {unreachable && <span className="ml-1 font-medium text-warn">{t.unreachable}</span>}
          </li>
        ))}
      </ul>
    </details>
  )
}

const SEVERITY = { error: 'text-bad', warning: 'text-warn', info: 'text-muted' } as const

function Findings({ findings }: { findings: Plan['findings'] }) {
  return (
    <ul className="flex flex-col gap-1 rounded border border-line bg-sunken px-3 py-2">
      {findings.map((finding, at) => (
        <li key={at} className="wrap-anywhere">
          <span className={`font-medium ${SEVERITY[finding.severity]}`}>{finding.severity}</span> {finding.message}
          {finding.path && (
            <code className="text-muted">
              {' '}
              {finding.path}
              {finding.line !== undefined && `:${finding.line}`}
            </code>
          )}
        </li>
      ))}
    </ul>
  )
}

function ChangeView({ change, open: initially }: { change: Change; open: boolean }) {
  const [open, setOpen] = useState(initially)
  const { sign: mark, ink, word } = sign(change)
  const foldable = change.attributes.length > 0
  return (
    <>
      <button
        type="button"
        aria-expanded={foldable ? open : undefined}
        onClick={() => setOpen(!open)}
        className="flex w-full items-baseline gap-2 px-3 py-1.5 text-left hover:bg-hover"
      >
        <span className={`w-3 shrink-0 font-mono font-semibold ${ink}`} aria-hidden>
          {mark}
        </span>
        <code className="font-medium wrap-anywhere">{change.address}</code>
        <span className={ink}>{change.actions.includes('replace') ? t.replace : word}</span>
        {change.previousAddress && (
          <span className="text-muted">
            {t.movedFrom}
            <code>{change.previousAddress}</code>
          </span>
        )}
        {change.reason && <span className="text-muted wrap-anywhere">{t.becauseReason(change.reason)}</span>}
        {change.cause !== 'config' && <span className="text-warn">{t.causedBy(CAUSE[change.cause] ?? '')}</span>}
        <span className="ml-auto shrink-0 text-sm text-faint">{change.type}</span>
      </button>
      {open && foldable && (
        <table className="mb-2 w-full table-fixed border-collapse max-md:block">
          <tbody className="max-md:block">
            {change.attributes.map((attribute) => (
              <AttributeRow key={attribute.path} attribute={attribute} />
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function AttributeRow({ attribute }: { attribute: Attribute & { unstable?: boolean } }) {
  const before = valueText(attribute.before, attribute.sensitive)
  const after = attribute.unknown ? null : valueText(attribute.after, attribute.sensitive)
  const long = isLong(before) || isLong(after)
  return (
    <tr className="align-top max-md:block max-md:pl-8">
      <th
        scope="row"
        className="w-[30%] py-0.5 pl-8 pr-3 text-left font-normal text-muted wrap-anywhere max-md:block max-md:w-full max-md:pl-0"
      >
        <code>{attribute.path || '(all)'}</code>
        {attribute.unstable && <span className="block text-xs text-faint">{t.ignoredDiffersInEveryPlan}</span>}
      </th>
      <td className="py-0.5 pr-3 max-md:block">
        {attribute.sensitive && attribute.shown ? (
          <code className="whitespace-pre-wrap wrap-anywhere">(sensitive) {attribute.shown}</code>
        ) : long ? (
          <LineDiff before={lineText(before)} after={lineText(after)} unknown={attribute.unknown ?? false} />
        ) : (
          <code className="wrap-anywhere">
            {before !== null && <del className="bg-bad-soft text-bad no-underline">{before}</del>}
            {before !== null && <span className="text-faint"> → </span>}
            {attribute.unknown ? (
              <em className="text-muted">{t.knownAfterApply}</em>
            ) : after === null ? (
              <em className="text-muted">{t.nothing}</em>
            ) : (
              <ins className="bg-ok-soft text-ok no-underline">{after}</ins>
            )}
          </code>
        )}
      </td>
    </tr>
  )
}

/** Among lines what is empty has none. */
const lineText = (text: string | null): string => (text === null || text === '""' ? '' : text)

export const isLong = (text: string | null): boolean => text !== null && (text.includes('\n') || text.length > 120)

export function valueText(value: unknown, sensitive: boolean | undefined): string | null {
  if (value === undefined || value === null) return null
  if (sensitive) return '(sensitive)'
  return typeof value === 'string' ? (value === '' ? '""' : value) : JSON.stringify(value, null, 1)
}

/** The line break at the end ends the last line, and begins none. */
const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** Lines of a long value, common lines at both ends left out of the marks. */
export function LineDiff({ before, after, unknown = false }: { before: string; after: string; unknown?: boolean }) {
  const [all, setAll] = useState(false)
  const [old, fresh] = [linesOf(before), linesOf(after)]
  let head = 0
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++
  let tail = 0
  while (tail < old.length - head && tail < fresh.length - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++
  const lines = [
    ...old.slice(Math.max(0, head - 2), head).map((text) => ({ sign: ' ', text })),
    ...old.slice(head, old.length - tail).map((text) => ({ sign: '−', text })),
    ...fresh.slice(head, fresh.length - tail).map((text) => ({ sign: '+', text })),
    ...old.slice(old.length - tail, old.length - tail + 2).map((text) => ({ sign: ' ', text })),
  ]
  const shown = all ? lines : lines.slice(0, 30)
  return (
    <div className="overflow-x-auto rounded-sm bg-sunken py-1 font-mono text-sm">
      {shown.map(({ sign: mark, text }, at) => (
        <div
          key={at}
          className={`px-2 whitespace-pre-wrap wrap-anywhere ${mark === '+' ? 'bg-ok-soft text-ok' : mark === '−' ? 'bg-bad-soft text-bad' : 'text-muted'}`}
        >
          {mark} {text}
        </div>
      ))}
      {unknown && <div className="px-2 text-muted">{t.knownAfterApply2}</div>}
      {lines.length > shown.length && (
        <button type="button" onClick={() => setAll(true)} className="px-2 text-accent hover:underline">
          {t.showMoreLines(lines.length - shown.length)}
        </button>
      )}
    </div>
  )
}

function Outputs({ outputs }: { outputs: Plan['outputs'] }) {
  const names = Object.keys(outputs)
  if (names.length === 0) return null
  return (
    <details>
      <summary className="text-muted">
        {names.length} {names.length === 1 ? t.output : t.outputs}
      </summary>
      <dl className="mt-1 grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4">
        {names.map((name) => {
          const { value, sensitive, unknown } = outputs[name]!
          return (
            <div key={name} className="contents">
              <dt>
                <code>{name}</code>
              </dt>
              <dd>
                <code className="text-muted wrap-anywhere">
                  {unknown ? t.knownAfterApply : (valueText(value, sensitive) ?? 'nothing')}
                </code>
              </dd>
            </div>
          )
        })}
      </dl>
    </details>
  )
}
