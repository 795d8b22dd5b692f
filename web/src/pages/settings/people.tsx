import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { useMay } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
import { Act } from '../../ui/act.tsx'
import { Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'

const NOT_HERS = t.onlyAdministratorsOfThisServer

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
      title={t.people}
      flush
      aside={
        <Act
          label={t.addAPerson}
          title={t.addAPerson}
          command={`trueup user add ${name || 'NAME'} --email ${email || 'EMAIL'}`}
          run={() =>
            ask(api.POST('/api/v1/users', { body: { name, email, kind: 'member', ...(password && { password }) } }))
          }
          done={t.hasAnAccount(name)}
          whyNot={whyNot}
          ready={name !== '' && email !== '' && (password === '' || password.length >= 12)}
        >
          <TextField label={t.name} value={name} set={setName} autoComplete="off" />
          <TextField label={t.eMail} type="email" value={email} set={setEmail} autoComplete="off" />
          <TextField
            label={t.firstPassword}
            hint={t.atLeastCharactersEmptyWhere}
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
          <Table label={t.people} heads={[t.name, 'E-mail', t.kind, t.since, '']}>
            {items.map((user) => (
              <tr key={user.id} className={user.disabledAt === null ? '' : 'text-muted'}>
                <td className={`${cell} font-medium`}>
                  {user.name}
                  {user.disabledAt !== null && <span className="ml-2 text-sm text-warn">{t.disabled}</span>}
                </td>
                <td className={`${cell} wrap-anywhere`}>{user.email}</td>
                <td className={cell}>{user.kind === 'admin' ? t.administrator : t.member}</td>
                <td className={`${cell} text-muted`}>
                  <Time at={user.createdAt} />
                </td>
                <td className={`${cell} text-right`}>
                  <Act
                    label={user.disabledAt === null ? t.disable : t.enable}
                    title={`${user.disabledAt === null ? t.disable : t.enable} ${user.name}`}
                    lead={user.disabledAt === null ? t.allTheirTokensAndSessions : t.theyMayLogInAgain}
                    command={`trueup user update ${user.name} --${user.disabledAt === null ? 'disable' : 'enable'}`}
                    run={() =>
                      ask(
                        api.PATCH('/api/v1/users/{user}', {
                          params: { path: { user: user.name } },
                          body: { disabled: user.disabledAt === null },
                        }),
                      )
                    }
                    done={t.done}
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
