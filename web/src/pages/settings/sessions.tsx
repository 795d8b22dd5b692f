import { useQuery } from '@tanstack/react-query'
import { api, ask, type Schemas } from '../../api/client.ts'
import { t } from '../../strings/settings.ts'
import { Act } from '../../ui/act.tsx'
import { Panel } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'

/** Where one is logged in, and the end of it. */
export function Sessions() {
  const query = useQuery({
    queryKey: ['session', 'sessions'],
    queryFn: () => ask(api.GET('/api/v1/sessions', { params: { query: { limit: 200 } } })),
  })
  return (
    <Panel
      title={t.sessions}
      flush
      aside={
        <Act
          label={t.endAllOthers}
          title={t.endAllOtherSessions}
          lead={t.theyHaveToLogIn}
          command="trueup session revoke --others"
          run={() => ask(api.DELETE('/api/v1/sessions', {}))}
          done={t.ended}
          variant="danger"
        />
      }
    >
      <Loaded query={query}>
        {({ items }) => (
          <Table label={t.sessions} heads={[t.device, t.from, t.since, t.lastUsed, '']}>
            {items.map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </Table>
        )}
      </Loaded>
    </Panel>
  )
}

function SessionRow({ session }: { session: Schemas['LoginSession'] }) {
  return (
    <tr>
      <td className={`${cell} font-medium`}>
        {session.device}
        {session.kind === 'cli' && <span className="ml-2 text-sm font-normal text-muted">{t.commandLine}</span>}
        {session.current && <span className="ml-2 text-sm font-normal text-ok">{t.thisSession}</span>}
      </td>
      <td className={`${cell} text-muted`}>{session.address}</td>
      <td className={`${cell} text-muted`}>
        <Time at={session.createdAt} />
      </td>
      <td className={`${cell} text-muted`}>
        <Time at={session.lastUsedAt} />
      </td>
      <td className={`${cell} text-right`}>
        {!session.current && (
          <Act
            label={t.endSession}
            title={t.endSessionOf(session.device)}
            lead={t.theyHaveToLogIn}
            command={`trueup session revoke ${session.id}`}
            run={() => ask(api.DELETE('/api/v1/sessions/{session}', { params: { path: { session: session.id } } }))}
            done={t.ended}
            variant="danger"
          />
        )}
      </td>
    </tr>
  )
}
