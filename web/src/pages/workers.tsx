import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../api/client.ts'
import { queuesQuery, workersQuery } from '../api/queries.ts'
import { useMay } from '../app/session.tsx'
import { t } from '../strings/server.ts'
import type { Look } from '../text.ts'
import { Act } from '../ui/act.tsx'
import { CommandLine, Empty, Hash, PageHead, Panel, TextField } from '../ui/basics.tsx'
import { Loaded } from '../ui/load.tsx'
import { cell, Table } from '../ui/more.tsx'
import { State } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'
import { ClockOff, DoesNow, PoolQueues, ToolsFound } from './worker-cells.tsx'

const LOOK = {
  connected: { label: t.connected, tone: 'ok', shape: 'check', meaning: t.itTakesRuns },
  drained: { label: t.drained, tone: 'hold', shape: 'bar', meaning: t.itGetsNoFurtherRuns },
  away: { label: t.away, tone: 'warn', shape: 'broken', meaning: t.itIsNotConnectedIts },
  revoked: { label: t.revoked, tone: 'idle', shape: 'bar', meaning: t.itsKeyCountsNoLonger },
} as const satisfies Record<string, Look>

const lookOf = ({ revokedAt, connected, draining }: Schemas['Worker']): Look =>
  LOOK[revokedAt !== null ? 'revoked' : !connected ? 'away' : draining ? 'drained' : 'connected']
const NOT_HERS = t.onlyAdministratorsOfThisServer

export function WorkersPage() {
  const query = useQuery(workersQuery)
  const { data: queues = [] } = useQuery(queuesQuery)
  const may = useMay()('worker.manage')
  const [pools, setPools] = useState('default')
  const [made, setMade] = useState<Schemas['Enrolment'] | null>(null)
  return (
    <>
      <PageHead title={t.workers} lead={t.theyExecuteRunsRunnersPush}>
        <Act
          label={t.enrolAWorker}
          title="Make a one-time token with which a worker enrols"
          lead={t.itCanBeUsedOnce}
          command={`trueup worker enrol --pools ${pools}`}
          run={async () => {
            const order = { pools: pools.split(/[\s,]+/).filter(Boolean), expiresInMs: 3_600_000 }
            setMade(await ask(api.POST('/api/v1/workers/enrolments', { body: order })))
          }}
          done={t.theTokenIsMade}
          whyNot={may ? null : NOT_HERS}
        >
          <TextField label={t.pools} hint={t.separatedByCommas} value={pools} set={setPools} required />
        </Act>
      </PageHead>
      {made && (
        <div role="status" className="mb-3 rounded border border-ok/40 bg-ok-soft px-3 py-2">
          <p className="font-medium">{t.thisTokenIsShownOnce}</p>
          <CommandLine line={made.token} />
          <CommandLine line={`trueup runner --server ${window.location.origin} --token-file token`} />
        </div>
      )}
      <Loaded query={query}>
        {(workers) => (
          <Panel flush>
            {workers.length === 0 ? (
              <Empty title={t.noWorkers}>{t.runsWaitUntilOneIs}</Empty>
            ) : (
              <Table label={t.workers} heads={[t.name, t.state, t.kind, t.pools, t.doesNow, t.tools, t.lastSeen, '']}>
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
                      <ClockOff clockSkewMs={worker.clockSkewMs} />
                    </td>
                    <td className={cell}>
                      {worker.kind}
                      {worker.builtin && <span className="text-muted">{t.builtIn}</span>}
                    </td>
                    <td className={cell}>
                      <PoolQueues pools={worker.pools} queues={queues} />
                    </td>
                    <td className={cell}>
                      <DoesNow runs={worker.runs} otherRuns={worker.otherRuns} />
                    </td>
                    <td className={cell}>
                      <ToolsFound tools={worker.tools} />
                    </td>
                    <td className={`${cell} text-muted`}>
                      <Time at={worker.lastSeenAt} />
                    </td>
                    <td className={`${cell} text-right`}>
                      {worker.revokedAt === null && !worker.builtin && (
                        <Act
                          label={t.revoke}
                          title={t.revokeName(worker.name)}
                          lead={t.itsKeyCountsNoLonger2}
                          command={`trueup worker revoke ${worker.id}`}
                          run={() =>
                            ask(api.DELETE('/api/v1/workers/{worker}', { params: { path: { worker: worker.id } } }))
                          }
                          done={t.revoked}
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
