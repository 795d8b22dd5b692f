import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { useMay } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
import { Act } from '../../ui/act.tsx'
import { Empty, Field, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'

export function Teams() {
  const whyNot = useMay()('team.manage') ? null : t.onlyAdministratorsOfThisServer
  const [name, setName] = useState('')
  const [user, setUser] = useState('')
  const query = useQuery({
    queryKey: ['teams'],
    queryFn: () => ask(api.GET('/api/v1/teams', { params: { query: { limit: 200 } } })),
  })
  const path = (team: string) => ({ params: { path: { team, user } } })
  return (
    <Panel
      title={t.teams}
      flush
      aside={
        <Act
          label={t.newTeam}
          title={t.makeATeam}
          command={`trueup team create ${name || 'NAME'}`}
          run={() => ask(api.POST('/api/v1/teams', { body: { name, members: [] } }))}
          done={t.isMade2(name)}
          whyNot={whyNot}
          ready={name !== ''}
        >
          <TextField label={t.name} value={name} set={setName} />
        </Act>
      }
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t.noTeams}>{t.environmentsCanAskForApprovals}</Empty>
          ) : (
            <Table label={t.teams} heads={[t.team, t.members, '']}>
              {items.map((team) => (
                <tr key={team.id}>
                  <td className={`${cell} font-medium`}>{team.name}</td>
                  <td className={cell}>{team.members.join(', ') || <span className="text-faint">{t.nobody}</span>}</td>
                  <td className={`${cell} text-right`}>
                    <span className="inline-flex gap-2">
                      <Act
                        label={t.add}
                        title={t.putAPersonInto(team.name)}
                        command={`trueup team add ${team.name} ${user || 'USER'}`}
                        run={() => ask(api.PUT('/api/v1/teams/{team}/members/{user}', path(team.name)))}
                        done={t.added}
                        whyNot={whyNot}
                        ready={user !== ''}
                      >
                        <TextField label={t.nameOfTheirAccount} value={user} set={setUser} />
                      </Act>
                      <Act
                        label={t.remove}
                        title={t.takeAPersonOutOf(team.name)}
                        command={`trueup team remove ${team.name} ${user || 'USER'}`}
                        run={() => ask(api.DELETE('/api/v1/teams/{team}/members/{user}', path(team.name)))}
                        done={t.removed}
                        variant="danger"
                        whyNot={whyNot}
                        ready={team.members.includes(user)}
                      >
                        <Field label={t.who}>
                          <select value={user} onChange={(event) => setUser(event.target.value)}>
                            <option value="">{t.choose}</option>
                            {team.members.map((member) => (
                              <option key={member}>{member}</option>
                            ))}
                          </select>
                        </Field>
                      </Act>
                    </span>
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </Panel>
  )
}
