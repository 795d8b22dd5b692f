import { useQuery } from '@tanstack/react-query'
import { Construction, Info, type LucideIcon, OctagonAlert, Snowflake } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Schemas } from '../api/client.ts'
import { environmentsQuery } from '../api/queries.ts'
import { t } from '../strings/overview.ts'
import { Time } from '../ui/time.tsx'

type Kind = Schemas['Notice']['kind']
export const NOTICE_KIND: Record<Kind, { label: string; icon: LucideIcon; look: string }> = {
  incident: { label: t.incident, icon: OctagonAlert, look: 'border-bad/40 bg-bad-soft' },
  maintenance: { label: t.maintenance, icon: Construction, look: 'border-warn/40 bg-warn-soft' },
  info: { label: t.notice, icon: Info, look: 'border-busy/40 bg-busy-soft' },
}

/** What holds deployments to environments back, and what people say of them; nothing where there is neither. */
export function EnvironmentNotices({
  repository,
  environments: names,
}: {
  repository: string
  /** Only of these; all where absent. */
  environments?: readonly string[]
}) {
  const all = useQuery(environmentsQuery(repository)).data ?? []
  const shown = all.filter(({ name }) => names === undefined || names.includes(name))
  const closed = shown.filter(({ deployments }) => !deployments.open)
  const notices = shown.flatMap((environment) => environment.notices)
  if (closed.length + notices.length === 0) return null
  return (
    <ul aria-label={t.notices} className="mb-2 flex max-h-48 shrink-0 flex-col gap-1 overflow-y-auto">
      {notices.map((notice) => (
        <NoticeLine key={notice.id} notice={notice} />
      ))}
      {closed.map(({ name, deployments }) => (
        <Line key={name} icon={Snowflake} label={t.closed} look="border-warn/40 bg-warn-soft">
          <span className="font-medium">{name}</span>
          {t.takesNoDeployments(deployments.reason ?? '')}
          {deployments.nextChangeAt !== null && (
            <span className="text-muted">
              {t.opens}
              <Time at={deployments.nextChangeAt} />
            </span>
          )}
        </Line>
      ))}
    </ul>
  )
}

function NoticeLine({ notice: { environment, kind, text, by, createdAt, until } }: { notice: Schemas['Notice'] }) {
  const { label, icon, look } = NOTICE_KIND[kind]
  return (
    <Line icon={icon} label={label} look={look}>
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
    </Line>
  )
}

function Line({
  icon: Icon,
  label,
  look,
  children,
}: {
  icon: LucideIcon
  label: string
  look: string
  children: ReactNode
}) {
  return (
    <li className={`flex gap-2 rounded border px-3 py-1.5 ${look}`}>
      <Icon size={15} role="img" aria-label={label} className="mt-0.5 shrink-0" />
      <span className="min-w-0 wrap-anywhere">{children}</span>
    </li>
  )
}
