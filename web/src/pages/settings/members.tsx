import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useMay, useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
import { Act } from '../../ui/act.tsx'
import { CommandLine, Facts, Field, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'
import { ConnectRepository } from './connect.tsx'
import { Connection } from './connection.tsx'

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
    <Field label={t.role} hint={t.eachOneMayDoWhat}>
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
          <>
            <ConnectRepository />
            <Act
              label={t.newRepository}
              title={t.makeAnEmptyRepository}
              command={`trueup repo create ${fresh || 'NAME'}`}
              run={() => ask(api.POST('/api/v1/repositories', { body: { name: fresh } }))}
              done={t.isMade(fresh)}
              whyNot={mayCreate ? null : t.onlyAdministratorsOfThisServer}
              ready={fresh !== ''}
            >
              <TextField label={t.name} value={fresh} set={setFresh} />
            </Act>
          </>
        }
      >
        <Facts
          rows={[
            [t.defaultBranch, <code key="branch">{repository.defaultBranch}</code>],
            ['clone', <CommandLine key="clone" line={`git clone ${repository.gitUrl}`} />],
            [t.yourRole, repository.role ?? t.administratorOfTheServer],
            ['made', <Time key="made" at={repository.createdAt} />],
          ]}
        />
      </Panel>
      <Connection key={repository.id} repository={repository} />
      <Panel
        title={t.roles}
        flush
        aside={
          <Act
            label={t.addAPerson}
            title={t.giveAPersonARole(name)}
            command={`trueup member set ${name} ${user || 'USER'} ${role}`}
            run={() => give(user, role)}
            done={t.userIsRole(user, role)}
            whyNot={whyNot}
            ready={user !== ''}
          >
            <TextField label={t.nameOfTheirAccount} value={user} set={setUser} />
            {roleField}
          </Act>
        }
      >
        <Loaded query={query}>
          {({ items }) => (
            <Table label={t.roles} heads={[t.person, t.role, '']}>
              {items.map((member) => (
                <tr key={member.userId}>
                  <td className={`${cell} font-medium`}>{member.user}</td>
                  <td className={cell}>{member.role}</td>
                  <td className={`${cell} text-right`}>
                    <span className="inline-flex gap-2">
                      <Act
                        label={t.change}
                        title={t.anotherRoleFor(member.user)}
                        command={`trueup member set ${name} ${member.user} ${role}`}
                        run={() => give(member.user, role)}
                        done={t.userIsRole(member.user, role)}
                        variant="quiet"
                        whyNot={whyNot}
                      >
                        {roleField}
                      </Act>
                      <Act
                        label={t.remove}
                        title={t.takeTheRoleOfAway(member.user)}
                        command={`trueup member remove ${name} ${member.user}`}
                        run={() =>
                          ask(
                            api.DELETE('/api/v1/repositories/{repository}/members/{user}', {
                              params: { path: { repository: name, user: member.user } },
                            }),
                          )
                        }
                        done={t.hasNoRoleHereAny(member.user)}
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
