import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useSession } from '../../app/session.tsx'
import { Act } from '../../ui/act.tsx'
import { CommandLine, Field, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'

/** One's tokens and sessions, and one's password. */
export function Tokens() {
  const { token: mine } = useSession()
  const [name, setName] = useState('')
  const [scope, setScope] = useState('write')
  const [made, setMade] = useState<string | null>(null)
  const query = useQuery({
    queryKey: ['session', 'tokens'],
    queryFn: () => ask(api.GET('/api/v1/tokens', { params: { query: { limit: 200 } } })),
  })
  return (
    <div className="flex flex-col gap-3">
      {made && (
        <div role="status" className="rounded border border-ok/40 bg-ok-soft px-3 py-2">
          <p className="font-medium">The token, shown once:</p>
          <CommandLine line={made} />
        </div>
      )}
      <Panel
        title="Tokens and sessions"
        flush
        aside={
          <Act
            label="New token"
            title="Make a token"
            command={`trueup token create --name ${name || 'NAME'} --scope ${scope}`}
            run={async () =>
              setMade((await ask(api.POST('/api/v1/tokens', { body: { name, scopes: [scope] } }))).token)
            }
            done="The token is made"
            ready={name !== ''}
          >
            <TextField label="Name" hint="What it is for" value={name} set={setName} />
            <Field label="Good for">
              <select value={scope} onChange={(event) => setScope(event.target.value)}>
                <option value="read">reading</option>
                <option value="write">reading and writing</option>
                <option value="admin">everything that you may do</option>
              </select>
            </Field>
          </Act>
        }
      >
        <Loaded query={query}>
          {({ items }) => (
            <Table label="Tokens" heads={['Name', 'Good for', 'Last used', 'Ends', '']}>
              {items
                .filter(({ revokedAt }) => revokedAt === null)
                .map((token) => (
                  <TokenRow key={token.id} token={token} current={token.id === mine.id} />
                ))}
            </Table>
          )}
        </Loaded>
      </Panel>
      <Password />
    </div>
  )
}

function TokenRow({ token, current }: { token: Schemas['Token']; current: boolean }) {
  return (
    <tr>
      <td className={`${cell} font-medium`}>
        {token.name}
        {current && <span className="ml-2 text-sm font-normal text-ok">this session</span>}
      </td>
      <td className={cell}>{token.scopes.join(', ')}</td>
      <td className={`${cell} text-muted`}>
        <Time at={token.lastUsedAt} />
      </td>
      <td className={`${cell} text-muted`}>
        <Time at={token.expiresAt} />
      </td>
      <td className={`${cell} text-right`}>
        {!current && (
          <Act
            label="Revoke"
            title={`Revoke ${token.name}`}
            lead="Whatever uses it is refused from then on."
            command={`trueup token revoke ${token.id}`}
            run={() => ask(api.DELETE('/api/v1/tokens/{token}', { params: { path: { token: token.id } } }))}
            done="Revoked"
            variant="danger"
          />
        )}
      </td>
    </tr>
  )
}

function Password() {
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  return (
    <Panel title="Password">
      <p className="pb-2 text-muted">
        Setting one ends every other session and revokes every other token of your account.
      </p>
      <Act
        label="Set a password"
        title="Set your password"
        run={async () => {
          await ask(api.PUT('/api/v1/session/password', { body: { ...(current && { current }), password } }))
          setCurrent('')
          setPassword('')
        }}
        done="Your password is set"
        ready={password.length >= 12}
      >
        <TextField
          label="Current password"
          hint="Empty where you have none yet"
          type="password"
          autoComplete="current-password"
          value={current}
          set={setCurrent}
        />
        <TextField
          label="New password"
          hint="At least 12 characters"
          type="password"
          autoComplete="new-password"
          value={password}
          set={setPassword}
        />
      </Act>
    </Panel>
  )
}
