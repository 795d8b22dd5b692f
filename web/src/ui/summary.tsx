import type { Schemas } from '../api/client.ts'

const PARTS = [
  ['create', '+', 'text-ok', 'to create'],
  ['update', '~', 'text-warn', 'to change'],
  ['replace', '±', 'text-hold', 'to replace'],
  ['delete', '−', 'text-bad', 'to destroy'],
  ['other', '·', 'text-muted', 'to do otherwise'],
] as const

/** The size of a plan: signs, numbers and, for those who hear it, words. */
export function Summary({ summary }: { summary: Schemas['PlanSummary'] | null }) {
  if (!summary) return <span className="whitespace-nowrap text-faint">no plan</span>
  const parts = PARTS.filter(([name]) => summary[name] > 0)
  if (parts.length === 0) return <span className="whitespace-nowrap text-muted">no changes</span>
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
