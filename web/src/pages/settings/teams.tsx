import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { useMay } from '../../app/session.tsx'
import { Act } from '../../ui/act.tsx'
import { Empty, Field, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'

export function Teams() {
  const whyNot = useMay()('team.manage') ? null : 'Only administrators of this server may do that'
  const [name, setName] = useState('')
  const [user, setUser] = useState('')
  const query = useQuery({
    queryKey: ['teams'],
    queryFn: () => ask(api.GET('/api/v1/teams', { params: { query: { limit: 200 } } })),
  })
  const path = (team: string) => ({ params: { path: { team, user } } })
  return (
    <Panel
      title="Teams"
      flush
      aside={
        <Act
          label="New team"
          title="Make a team"
          command={`trueup team create ${name || 'NAME'}`}
          run={() => ask(api.POST('/api/v1/teams', { body: { name, members: [] } }))}
          done={`${name} is made`}
          whyNot={whyNot}
          ready={name !== ''}
        >
          <TextField label="Name" value={name} set={setName} />
        </Act>
      }
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No teams">Environments can ask for approvals of a team: approvals.from in trueup.yaml.</Empty>
          ) : (
            <Table label="Teams" heads={['Team', 'Members', '']}>
              {items.map((team) => (
                <tr key={team.id}>
                  <td className={`${cell} font-medium`}>{team.name}</td>
                  <td className={cell}>{team.members.join(', ') || <span className="text-faint">nobody</span>}</td>
                  <td className={`${cell} text-right`}>
                    <span className="inline-flex gap-2">
                      <Act
                        label="Add"
                        title={`Put a person into ${team.name}`}
                        command={`trueup team add ${team.name} ${user || 'USER'}`}
                        run={() => ask(api.PUT('/api/v1/teams/{team}/members/{user}', path(team.name)))}
                        done="Added"
                        whyNot={whyNot}
                        ready={user !== ''}
                      >
                        <TextField label="Name of their account" value={user} set={setUser} />
                      </Act>
                      <Act
                        label="Remove"
                        title={`Take a person out of ${team.name}`}
                        command={`trueup team remove ${team.name} ${user || 'USER'}`}
                        run={() => ask(api.DELETE('/api/v1/teams/{team}/members/{user}', path(team.name)))}
                        done="Removed"
                        variant="danger"
                        whyNot={whyNot}
                        ready={team.members.includes(user)}
                      >
                        <Field label="Who">
                          <select value={user} onChange={(event) => setUser(event.target.value)}>
                            <option value="">Choose</option>
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
