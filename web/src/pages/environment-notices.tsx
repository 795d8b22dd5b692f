import { useQuery } from '@tanstack/react-query'
import { Construction, Info, type LucideIcon, OctagonAlert, Snowflake } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { Schemas } from '../api/client.ts'
import { environmentsQuery } from '../api/queries.ts'
import { t } from '../strings/overview.ts'
import { Button } from '../ui/basics.tsx'
import { Time } from '../ui/time.tsx'

type Kind = Schemas['Notice']['kind']
export const NOTICE_KIND: Record<Kind, { label: string; icon: LucideIcon; look: string }> = {
  incident: { label: t.incident, icon: OctagonAlert, look: 'border-bad/40 bg-bad-soft' },
  maintenance: { label: t.maintenance, icon: Construction, look: 'border-warn/40 bg-warn-soft' },
  info: { label: t.notice, icon: Info, look: 'border-busy/40 bg-busy-soft' },
}

/** A line about an environment; the same as long as `key` is. */
interface Word {
  key: string
  icon: LucideIcon
  label: string
  look: string
  says: ReactNode
}

/**
 * What holds deployments to environments back, and what people say of them; nothing where there is neither. Those that there
 * were when the page was opened stand in their place for as long as it is open. What comes later floats above the page
 * until somebody takes note of it, so that nothing moves from under a pointer.
 */
export function EnvironmentNotices({
  repository,
  environments: names,
}: {
  repository: string
  /** Only of these; all where absent. */
  environments?: readonly string[]
}) {
  const { data: all } = useQuery(environmentsQuery(repository))
  const [kept, setKept] = useState<readonly Word[] | null>(null)
  if (!all) return null
  const words = all.filter(({ name }) => names === undefined || names.includes(name)).flatMap(wordsOf)
  if (kept === null) setKept(words)
  const fresh = words.filter(({ key }) => !kept?.some((each) => each.key === key))
  return (
    <>
      {kept !== null && kept.length > 0 && (
        <ul aria-label={t.notices} className="mb-2 flex max-h-48 shrink-0 flex-col gap-1 overflow-y-auto">
          {kept.map((word) => {
            const still = words.find(({ key }) => key === word.key)
            return <Line key={word.key} word={still ?? word} over={!still} />
          })}
        </ul>
      )}
      <div
        role="status"
        className="fixed right-4 bottom-4 z-30 max-w-md max-md:right-2 max-md:bottom-16 max-md:left-2 max-md:max-w-none"
      >
        {kept !== null && fresh.length > 0 && (
          <div className="flex flex-col gap-1 rounded-lg border border-line bg-raised p-2 shadow-float">
            <ul aria-label={t.newNotices} className="flex max-h-48 flex-col gap-1 overflow-y-auto">
              {fresh.map((word) => (
                <Line key={word.key} word={word} />
              ))}
            </ul>
            <Button className="self-end" onClick={() => setKept(words)}>
              {t.takeNote}
            </Button>
          </div>
        )}
      </div>
    </>
  )
}

function wordsOf({ name, notices, deployments: { open, reason, nextChangeAt } }: Schemas['Environment']): Word[] {
  const words: Word[] = notices.map(({ id, environment, kind, text, by, createdAt, until }) => ({
    key: id,
    ...NOTICE_KIND[kind],
    says: (
      <>
        <span className="font-medium">{environment}</span>: <span className="whitespace-pre-wrap">{text}</span>
        <span className="text-muted">
          {' '}
          · {by} <Time at={createdAt} />
          {until !== null && (
            <>
              {t.ends}
              <Time at={until} />
            </>
          )}
        </span>
      </>
    ),
  }))
  if (open) return words
  const says = (
    <>
      <span className="font-medium">{name}</span>
      {t.takesNoDeployments(reason ?? '')}
      {nextChangeAt !== null && (
        <span className="text-muted">
          {t.opens}
          <Time at={nextChangeAt} />
        </span>
      )}
    </>
  )
  const look = 'border-warn/40 bg-warn-soft'
  return [...words, { key: `closed ${name}`, icon: Snowflake, label: t.closed, look, says }]
}

function Line({ word: { icon: Icon, label, look, says }, over = false }: { word: Word; over?: boolean }) {
  return (
    <li className={`flex gap-2 rounded border px-3 py-1.5 ${over ? 'border-line bg-sunken text-muted' : look}`}>
      <Icon size={15} role="img" aria-label={over ? t.noLonger(label) : label} className="mt-0.5 shrink-0" />
      <span className={`min-w-0 wrap-anywhere ${over ? 'line-through' : ''}`}>{says}</span>
    </li>
  )
}
