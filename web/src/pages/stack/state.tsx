import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Schemas } from '../../api/client.ts'
import { stateDiffQuery, stateQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/stack.ts'
import { CommandLine, Panel } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { Time } from '../../ui/time.tsx'

/** So many of its versions are listed. */
const SHOWN = 20

/** Versions of the state that Trueup keeps for a stack, and what each changed; nothing where there is none, or it may not be read. */
export function States({ repository, stack }: { repository: string; stack: string }) {
  const may = useWhyNot(repository)('state.read') === null
  const { data } = useQuery({ ...stateQuery(repository, stack), enabled: may })
  if (!data || data.versions.length === 0) return null
  const shown = data.versions.slice(0, SHOWN)
  return (
    <Panel title={t.stateVersions(data.versions.length)} flush>
      {data.lock && <p className="border-b border-line bg-warn-soft px-3 py-1.5 text-warn">{t.theStateIsLocked}</p>}
      <ul aria-label={t.versionsOfTheState} className="divide-y divide-line">
        {shown.map((version) => (
          <Version key={version.version} repository={repository} stack={stack} version={version} />
        ))}
      </ul>
      <p className="border-t border-line px-3 py-1.5">
        <CommandLine line={`trueup state diff ${stack} --repo ${repository}`} />
      </p>
    </Panel>
  )
}

function Version({
  repository,
  stack,
  version: { version, createdAt, run, actor },
}: {
  repository: string
  stack: string
  version: Schemas['StateInfo']['versions'][number]
}) {
  const [open, setOpen] = useState(false)
  return (
    <li className="px-3 py-1.5">
      <div className="flex flex-wrap items-center gap-x-3">
        <span className="font-medium tabular-nums">{t.versionNumber(version)}</span>
        <span className="text-muted">
          <Time at={createdAt} />
        </span>
        {run && (
          <Link
            to="/r/$repository/runs/$run"
            params={{ repository, run }}
            className="text-accent hover:underline"
            aria-label={t.runOfVersion(version)}
          >
            {t.run}
          </Link>
        )}
        {actor && <span className="text-muted">{actor}</span>}
        {version > 1 && (
          <button
            type="button"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
            className="ml-auto text-accent hover:underline"
          >
            {t.whatVersionChanged(version)}
          </button>
        )}
      </div>
      {open && <Differences repository={repository} stack={stack} version={version} />}
    </li>
  )
}

/** Addresses and names of attributes, never values: a state does not say which of them are secret. */
function Differences({ repository, stack, version }: { repository: string; stack: string; version: number }) {
  const query = useQuery(stateDiffQuery(repository, stack, version - 1, version))
  return (
    <Loaded query={query} lines={2}>
      {({ differences }) =>
        differences.length === 0 ? (
          <p className="text-muted">{t.noObjectDiffers}</p>
        ) : (
          <ul className="mt-1 flex flex-col gap-0.5">
            {differences.map(({ address, change, attributes }) => (
              <li key={address} className="wrap-anywhere">
                <span className={INK[change]}>{t[change]}</span> <code>{address}</code>{' '}
                <code className="text-muted">{attributes.join(', ')}</code>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  )
}

const INK = { added: 'text-ok', removed: 'text-bad', changed: 'text-warn' } as const
