import { Link } from '@tanstack/react-router'
import { api, ask, type Schemas } from '../api/client.ts'
import { useWhyNot } from '../app/session.tsx'
import { t } from '../strings/stack.ts'
import { stateLook } from '../text.ts'
import { Act } from '../ui/act.tsx'
import { Mark } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'

interface Props {
  repository: string
  entries: Schemas['Quarantine'][]
  /** Says of which stack each is. */
  named?: boolean
  /** The one that is in the way of what a stack is to be; the others are of states that it has left. */
  inTheWay?: string | undefined
}

/** States that were rolled back and are not deployed again. */
export function Quarantined({ repository, entries, named = false, inTheWay }: Props) {
  const whyNot = useWhyNot(repository)('quarantine.lift')
  const standing = entries.filter(({ liftedAt }) => liftedAt === null)
  if (standing.length === 0) return null
  return (
    <ul className="flex flex-col gap-1">
      {standing.map((entry) => (
        <li
          key={entry.id}
          className="flex flex-wrap items-center gap-2 rounded border border-hold/40 bg-hold-soft px-3 py-1.5"
        >
          <Mark look={stateLook('quarantined')} label />
          <span className="wrap-anywhere">
            {named || entry.id === inTheWay ? t.inQuarantine : t.anotherStateIsInQuarantine}
            {entry.mr !== null && (
              <>
                {t.by}
                <Link
                  to="/r/$repository/mr/$number"
                  params={{ repository, number: String(entry.mr) }}
                  className="text-accent hover:underline"
                >
                  !{entry.mr}
                </Link>
              </>
            )}
            : <code>{entry.commit.slice(0, 10)}</code>
            {named && t.ofStack(entry.stack)}, {entry.reason}
          </span>
          <span className="text-muted">
            {entry.by ?? t.trueup} <Time at={entry.createdAt} />
          </span>
          <span className="ml-auto">
            <Act
              label={t.lift}
              title={t.letThisStateBeDeployed}
              command={`trueup stack unquarantine ${entry.id} --repo ${repository}`}
              run={(reason) =>
                ask(
                  api.POST('/api/v1/repositories/{repository}/quarantine/{entry}/lift', {
                    params: { path: { repository, entry: entry.id } },
                    body: { reason },
                  }),
                )
              }
              done={t.theQuarantineIsLifted}
              reason={{ label: t.whyItIsGoodNow }}
              whyNot={whyNot}
            />
          </span>
        </li>
      ))}
    </ul>
  )
}
