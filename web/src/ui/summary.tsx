import type { Schemas } from '../api/client.ts'
import { t } from '../strings/parts.ts'

const PARTS = [
  ['create', '+', 'text-ok', t.toCreate],
  ['update', '~', 'text-warn', t.toChange],
  ['replace', '±', 'text-hold', t.toReplace],
  ['delete', '−', 'text-bad', t.toDestroy],
  ['other', '·', 'text-muted', t.toDoOtherwise],
] as const

/** The size of a plan: signs, numbers and, for those who hear it, words. */
export function Summary({ summary }: { summary: Schemas['PlanSummary'] | null }) {
  if (!summary) return <span className="whitespace-nowrap text-faint">{t.noPlan}</span>
  const parts = PARTS.filter(([name]) => summary[name] > 0)
  if (parts.length === 0) return <span className="whitespace-nowrap text-muted">{t.noChanges}</span>
  return (
    <span className="inline-flex gap-2 font-medium tabular-nums">
      {parts.map(([name, sign, ink, word]) => (
        <span key={name} className={ink} title={`${summary[name]} ${word}`}>
          <span aria-hidden>
            {sign}
            {summary[name]}
          </span>
          <span className="sr-only">
            {summary[name]} {word}
          </span>
        </span>
      ))}
    </span>
  )
}
