import type { AuditVerdict } from '../server/schemas/operations.ts'
import type { ExportVerdict } from '../store/audit/verify-export.ts'
import { when } from './times.ts'

/** What verification found, for people: whole, sound with named breaks, or broken since when and how. */
export function verdictText(verdict: AuditVerdict): string {
  const { count, checkpoints, firstBad, total, reseals, archived } = verdict
  const named = reseals.map(resealLine)
  if (archived) named.unshift(archivedLine(archived))
  if (!firstBad) {
    const signed = `(signed checkpoints that agree: ${checkpoints})`
    if (reseals.length === 0) return [`The chain of ${count} events is whole ${signed}.`, ...named].join('\n')
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

const archivedLine = ({ through, parts }: NonNullable<AuditVerdict['archived']>): string =>
  `  It goes on from event ${through}, the last that left the database (${parts} ${parts === 1 ? 'archive' : 'archives'}, signed): \`trueup audit archives\`.`

/** What an export and a checkpoint prove together, for people. */
export function exportText(verdict: ExportVerdict): string {
  const { ok, fromSeq, through, count, before, after, breaks, total } = verdict
  const [first] = breaks
  const rest = [
    before > 0 ? `The ${before} events before them are not in this file; the signed hash stands for them too.` : '',
    after > 0 ? `${after} events behind them are not what this checkpoint speaks of.` : '',
  ].filter((line) => line !== '')
  if (ok) return [`The ${count} events from ${fromSeq} to ${through} are those that were signed.`, ...rest].join('\n')
  return [
    `The events are not those that were signed: event ${first?.seq} (${first?.kind}): ${first?.why}.`,
    ...(total > 1 ? [`${total} places are wrong in all.`] : []),
    ...rest,
  ].join('\n')
}

function resealLine({ seq, at, actor, actorName, reason, breaks, total }: AuditVerdict['reseals'][number]): string {
  const [first] = breaks
  const places = total > 1 ? `${total} breaks, first ${first?.seq}` : `the break at ${first?.seq}`
  return `  ${places} (${first?.kind}: ${first?.why}), named by event ${seq} of ${when(at)} by ${actorName ?? actor}: ${reason}`
}
