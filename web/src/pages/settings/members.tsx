import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useMay, useWhyNot } from '../../app/session.tsx'
import { Act } from '../../ui/act.tsx'
import { CommandLine, Facts, Field, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'

const ROLES: readonly Schemas['Role'][] = ['reader', 'contributor', 'maintainer', 'deployer', 'admin']

export function Members({ repository }: { repository: Schemas['Repository'] }) {
  const { name } = repository
  const whyNot = useWhyNot(name)('member.manage')
  const mayCreate = useMay()('repository.create')
  const [user, setUser] = useState('')
  const [role, setRole] = useState<Schemas['Role']>('contributor')
  const [fresh, setFresh] = useState('')
  const query = useQuery({
    queryKey: ['members', name],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/members', {
          params: { path: { repository: name }, query: { limit: 200 } },
        }),
      ),
  })
  const give = (who: string, what: Schemas['Role']) =>
    ask(
      api.PUT('/api/v1/repositories/{repository}/members/{user}', {
        params: { path: { repository: name, user: who } },
        body: { role: what },
      }),
    )
  const roleField = (
    <Field label="Role" hint="Each one may do what those before it may.">
      <select value={role} onChange={(event) => setRole(event.target.value as Schemas['Role'])}>
        {ROLES.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </Field>
  )
  return (
    <div className="flex flex-col gap-3">
      <Panel
        title={name}
        aside={
          <Act
            label="New repository"
            title="Make an empty repository"
            command={`trueup repo create ${fresh || 'NAME'}`}
            run={() => ask(api.POST('/api/v1/repositories', { body: { name: fresh } }))}
            done={`${fresh} is made`}
            whyNot={mayCreate ? null : 'Only administrators of this server may do that'}
            ready={fresh !== ''}
          >
            <TextField label="Name" value={fresh} set={setFresh} />
          </Act>
        }
      >
        <Facts
          rows={[
            ['default branch', <code key="branch">{repository.defaultBranch}</code>],
            ['clone', <CommandLine key="clone" line={`git clone ${repository.gitUrl}`} />],
            ['your role', repository.role ?? 'administrator of the server'],
            ['made', <Time key="made" at={repository.createdAt} />],
          ]}
        />
      </Panel>
      <Panel
        title="Roles"
        flush
        aside={
          <Act
            label="Add a person"
            title={`Give a person a role in ${name}`}
            command={`trueup member set ${name} ${user || 'USER'} ${role}`}
            run={() => give(user, role)}
            done={`${user} is ${role}`}
            whyNot={whyNot}
            ready={user !== ''}
          >
            <TextField label="Name of their account" value={user} set={setUser} />
            {roleField}
          </Act>
        }
      >
        <Loaded query={query}>
          {({ items }) => (
            <Table label="Roles" heads={['Person', 'Role', '']}>
              {items.map((member) => (
                <tr key={member.userId}>
                  <td className={`${cell} font-medium`}>{member.user}</td>
                  <td className={cell}>{member.role}</td>
                  <td className={`${cell} text-right`}>
                    <span className="inline-flex gap-2">
                      <Act
                        label="Change"
                        title={`Another role for ${member.user}`}
                        command={`trueup member set ${name} ${member.user} ${role}`}
                        run={() => give(member.user, role)}
                        done={`${member.user} is ${role}`}
                        variant="quiet"
                        whyNot={whyNot}
                      >
                        {roleField}
                      </Act>
                      <Act
                        label="Remove"
                        title={`Take the role of ${member.user} away`}
                        command={`trueup member remove ${name} ${member.user}`}
                        run={() =>
                          ask(
                            api.DELETE('/api/v1/repositories/{repository}/members/{user}', {
                              params: { path: { repository: name, user: member.user } },
                            }),
                          )
                        }
                        done={`${member.user} has no role here any more`}
                        variant="danger"
                        whyNot={whyNot}
                      />
                    </span>
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Loaded>
      </Panel>
    </div>
  )
}
