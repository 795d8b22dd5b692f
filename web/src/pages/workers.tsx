import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../api/client.ts'
import { workersQuery } from '../api/queries.ts'
import { useMay } from '../app/session.tsx'
import type { Look } from '../text.ts'
import { Act } from '../ui/act.tsx'
import { CommandLine, Empty, Hash, PageHead, Panel, TextField } from '../ui/basics.tsx'
import { Loaded } from '../ui/load.tsx'
import { cell, Table } from '../ui/more.tsx'
import { State } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'

const LOOK = {
  connected: { label: 'Connected', tone: 'ok', shape: 'check', meaning: 'It takes runs' },
  away: { label: 'Away', tone: 'warn', shape: 'broken', meaning: 'It is not connected; its runs wait' },
  revoked: { label: 'Revoked', tone: 'idle', shape: 'bar', meaning: 'Its key counts no longer' },
} as const satisfies Record<string, Look>

const lookOf = ({ revokedAt, connected }: Schemas['Worker']): Look =>
  LOOK[revokedAt !== null ? 'revoked' : connected ? 'connected' : 'away']
const NOT_HERS = 'Only administrators of this server may do that'

export function WorkersPage() {
  const query = useQuery(workersQuery)
  const may = useMay()('worker.manage')
  const [pools, setPools] = useState('default')
  const [made, setMade] = useState<Schemas['Enrolment'] | null>(null)
  return (
    <>
      <PageHead title="Workers" lead="They execute runs: runners push from where they stand, agents pull from inside.">
        <Act
          label="Enrol a worker"
          title="Make a one-time token with which a worker enrols"
          lead="It can be used once, within an hour."
          command={`trueup worker enrol --pools ${pools}`}
          run={async () => {
            const order = { pools: pools.split(/[\s,]+/).filter(Boolean), expiresInMs: 3_600_000 }
            setMade(await ask(api.POST('/api/v1/workers/enrolments', { body: order })))
          }}
          done="The token is made"
          whyNot={may ? null : NOT_HERS}
        >
          <TextField label="Pools" hint="Separated by commas" value={pools} set={setPools} required />
        </Act>
      </PageHead>
      {made && (
        <div role="status" className="mb-3 rounded border border-ok/40 bg-ok-soft px-3 py-2">
          <p className="font-medium">
            This token is shown once. Put it into a file named token where the worker is to run:
          </p>
          <CommandLine line={made.token} />
          <CommandLine line={`trueup runner --server ${window.location.origin} --token-file token`} />
        </div>
      )}
      <Loaded query={query}>
        {(workers) => (
          <Panel flush>
            {workers.length === 0 ? (
              <Empty title="No workers">
                Runs wait until one is there. The server starts one of its own unless told not to.
              </Empty>
            ) : (
              <Table label="Workers" heads={['Name', 'State', 'Kind', 'Pools', 'Last seen', '']}>
                {workers.map((worker) => (
                  <tr key={worker.id} className="hover:bg-hover">
                    <td className={cell}>
                      <span className="font-medium wrap-anywhere">{worker.name}</span>
                      <p>
                        <Hash value={worker.id} length={24} />
                      </p>
                    </td>
                    <td className={cell}>
                      <State look={lookOf(worker)} />
                    </td>
                    <td className={cell}>
                      {worker.kind}
                      {worker.builtin && <span className="text-muted">, built in</span>}
                    </td>
                    <td className={cell}>{worker.pools.join(', ')}</td>
                    <td className={`${cell} text-muted`}>
                      <Time at={worker.lastSeenAt} />
                    </td>
                    <td className={`${cell} text-right`}>
                      {worker.revokedAt === null && !worker.builtin && (
                        <Act
                          label="Revoke"
                          title={`Revoke ${worker.name}`}
                          lead="Its key counts no longer, and its leases run out."
                          command={`trueup worker revoke ${worker.id}`}
                          run={() =>
                            ask(api.DELETE('/api/v1/workers/{worker}', { params: { path: { worker: worker.id } } }))
                          }
                          done="Revoked"
                          variant="danger"
                          whyNot={may ? null : NOT_HERS}
                        />
                      )}
                    </td>
                  </tr>
                ))}
              </Table>
            )}
          </Panel>
        )}
      </Loaded>
    </>
  )
}
