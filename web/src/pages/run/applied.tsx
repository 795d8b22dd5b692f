import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/runs.ts'
import type { Look } from '../../text.ts'
import { Panel } from '../../ui/basics.tsx'
import { Mark } from '../../ui/status.tsx'

const LOOK: Record<Schemas['Run']['resources'][number]['state'], Look> = {
  done: { label: 'done', tone: 'ok', shape: 'check', meaning: '' },
  failed: { label: 'failed', tone: 'bad', shape: 'cross', meaning: '' },
  skipped: { label: 'skipped', tone: 'idle', shape: 'square', meaning: '' },
}

/** What an apply did, resource by resource; what failed stands first. */
export function Applied({ resources }: { resources: Schemas['Run']['resources'] }) {
  if (resources.length === 0) return null
  const ordered = [...resources].sort((a, b) => Number(b.state === 'failed') - Number(a.state === 'failed'))
  return (
    <Panel title={t.appliedOf(resources.filter(({ state }) => state === 'done').length, resources.length)} flush>
      <ul className="max-h-96 divide-y divide-line overflow-y-auto" tabIndex={0} aria-label={t.resources}>
        {ordered.map((resource, at) => (
          <li key={`${resource.address} ${at}`} className="flex items-baseline gap-x-2 px-3 py-1 max-md:flex-wrap">
            <Mark look={LOOK[resource.state]} label />
            <code className="wrap-anywhere">{resource.address}</code>
            <span className="text-muted">{resource.actions.join(', ')}</span>
            {resource.message && <span className="wrap-anywhere text-bad">{resource.message}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
