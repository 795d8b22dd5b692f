import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { useMay } from '../../app/session.tsx'
import { Act } from '../../ui/act.tsx'
import { Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'

const NOT_HERS = 'Only administrators of this server may do that'

export function People() {
  const whyNot = useMay()('user.manage') ? null : NOT_HERS
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const query = useQuery({
    queryKey: ['users'],
    queryFn: () => ask(api.GET('/api/v1/users', { params: { query: { limit: 200 } } })),
  })
  return (
    <Panel
      title="People"
      flush
      aside={
        <Act
          label="Add a person"
          title="Add a person"
          command={`trueup user add ${name || 'NAME'} --email ${email || 'EMAIL'}`}
          run={() =>
            ask(api.POST('/api/v1/users', { body: { name, email, kind: 'member', ...(password && { password }) } }))
          }
          done={`${name} has an account`}
          whyNot={whyNot}
          ready={name !== '' && email !== '' && (password === '' || password.length >= 12)}
        >
          <TextField label="Name" value={name} set={setName} autoComplete="off" />
          <TextField label="E-mail" type="email" value={email} set={setEmail} autoComplete="off" />
          <TextField
            label="First password"
            hint="At least 12 characters; empty where they work with tokens"
            type="password"
            value={password}
            set={setPassword}
            autoComplete="new-password"
          />
        </Act>
      }
    >
      <Loaded query={query}>
        {({ items }) => (
          <Table label="People" heads={['Name', 'E-mail', 'Kind', 'Since', '']}>
            {items.map((user) => (
              <tr key={user.id} className={user.disabledAt === null ? '' : 'text-muted'}>
                <td className={`${cell} font-medium`}>
                  {user.name}
                  {user.disabledAt !== null && <span className="ml-2 text-sm text-warn">disabled</span>}
                </td>
                <td className={`${cell} wrap-anywhere`}>{user.email}</td>
                <td className={cell}>{user.kind === 'admin' ? 'administrator' : 'member'}</td>
                <td className={`${cell} text-muted`}>
                  <Time at={user.createdAt} />
                </td>
                <td className={`${cell} text-right`}>
                  <Act
                    label={user.disabledAt === null ? 'Disable' : 'Enable'}
                    title={`${user.disabledAt === null ? 'Disable' : 'Enable'} ${user.name}`}
                    lead={
                      user.disabledAt === null ? 'All their tokens and sessions are revoked.' : 'They may log in again.'
                    }
                    command={`trueup user update ${user.name} --${user.disabledAt === null ? 'disable' : 'enable'}`}
                    run={() =>
                      ask(
                        api.PATCH('/api/v1/users/{user}', {
                          params: { path: { user: user.name } },
                          body: { disabled: user.disabledAt === null },
                        }),
                      )
                    }
                    done="Done"
                    variant={user.disabledAt === null ? 'danger' : 'plain'}
                    whyNot={whyNot}
                  />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Loaded>
    </Panel>
  )
}
