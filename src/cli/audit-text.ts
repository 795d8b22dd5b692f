import type { AuditVerdict } from '../server/schemas/operations.ts'
import { when } from './output.ts'

/** What verification found, for people: whole, sound with named breaks, or broken since when and how. */
export function verdictText(verdict: AuditVerdict): string {
  const { count, checkpoints, firstBad, total, reseals } = verdict
  const named = reseals.map(resealLine)
  if (!firstBad) {
    const signed = `(signed checkpoints that agree: ${checkpoints})`
    if (named.length === 0) return `The chain of ${count} events is whole ${signed}.`
    const breaks = reseals.flatMap((reseal) => reseal.breaks)
    const places = reseals.reduce((sum, reseal) => sum + reseal.total, 0)
    const what =
      places === 1 ? `a named break at ${breaks[0]?.seq}` : `${places} named breaks, the first at ${breaks[0]?.seq}`
    return [`The chain of ${count} events is sound, with ${what} ${signed}.`, ...named].join('\n')
  }
  const { seq, kind, why, at, after } = firstBad
  const since = at ?? after
  return [
    `The chain is broken at event ${seq} (${kind}): ${why}.`,
    since === null
      ? ''
      : `Since ${at === null ? 'after ' : ''}${when(since)}${at !== null && after !== null ? `; the event before it is of ${when(after)}` : ''}.`,
    `${count} events before it are in order${total > 1 ? `; ${total} places are broken in all` : ''}.`,
    ...named,
    'Find out how it came to be. `trueup audit reseal --reason …` then continues the chain, with a signed event that names the break.',
  ]
    .filter((line) => line !== '')
    .join('\n')
}

function resealLine({ seq, at, actor, actorName, reason, breaks, total }: AuditVerdict['reseals'][number]): string {
  const [first] = breaks
  const places = total > 1 ? `${total} breaks, first ${first?.seq}` : `the break at ${first?.seq}`
  return `  ${places} (${first?.kind}: ${first?.why}), named by event ${seq} of ${when(at)} by ${actorName ?? actor}: ${reason}`
}
