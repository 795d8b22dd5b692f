import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useSession } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
import { Act } from '../../ui/act.tsx'
import { CommandLine, Empty, Field, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'
import { SecondFactor } from './second-factor.tsx'
import { Sessions } from './sessions.tsx'

/** One's tokens and sessions, and one's password. */
export function Tokens() {
  const { token: mine } = useSession()
  const [name, setName] = useState('')
  const [scope, setScope] = useState('write')
  const [from, setFrom] = useState('')
  const [made, setMade] = useState<string | null>(null)
  const query = useQuery({
    queryKey: ['session', 'tokens'],
    queryFn: () => ask(api.GET('/api/v1/tokens', { params: { query: { limit: 200 } } })),
  })
  const ranges = from.split(/[\s,]+/).filter((range) => range !== '')
  const scopes = [scope, ...ranges.map((range) => `from:${range}`)]
  return (
    <div className="flex flex-col gap-3">
      {made && (
        <div role="status" className="rounded border border-ok/40 bg-ok-soft px-3 py-2">
          <p className="font-medium">{t.theTokenShownOnce}</p>
          <CommandLine line={made} />
        </div>
      )}
      <Panel
        title={t.tokens}
        flush
        aside={
          <Act
            label={t.newToken}
            title={t.makeAToken}
            command={`trueup token create --name ${name || 'NAME'} --scope ${scopes.join(' ')}`}
            run={async () => setMade((await ask(api.POST('/api/v1/tokens', { body: { name, scopes } }))).token)}
            done={t.theTokenIsMade}
            ready={name !== ''}
          >
            <TextField label={t.name} hint={t.whatItIsFor} value={name} set={setName} />
            <Field label={t.goodFor}>
              <select value={scope} onChange={(event) => setScope(event.target.value)}>
                <option value="read">{t.reading}</option>
                <option value="write">{t.readingAndWriting}</option>
                <option value="admin">{t.everythingThatYouMayDo}</option>
              </select>
            </Field>
            <TextField label={t.onlyFrom} hint={t.addressesAndRanges} value={from} set={setFrom} />
          </Act>
        }
      >
        <Loaded query={query}>
          {({ items }) => {
            const standing = items.filter(({ revokedAt, kind }) => revokedAt === null && kind === 'token')
            return standing.length === 0 ? (
              <Empty title={t.noTokens}>{t.programsComeWithOne}</Empty>
            ) : (
              <Table label={t.tokens} heads={[t.name, t.goodFor, t.lastUsed, t.ends, '']}>
                {standing.map((token) => (
                  <TokenRow key={token.id} token={token} current={token.id === mine.id} />
                ))}
              </Table>
            )
          }}
        </Loaded>
      </Panel>
      <Sessions />
      <SecondFactor />
      <Password />
    </div>
  )
}

function TokenRow({ token, current }: { token: Schemas['Token']; current: boolean }) {
  return (
    <tr>
      <td className={`${cell} font-medium`}>
        {token.name}
        {current && <span className="ml-2 text-sm font-normal text-ok">{t.thisSession}</span>}
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
            label={t.revoke}
            title={t.revokeName(token.name)}
            lead={t.whateverUsesItIsRefused}
            command={`trueup token revoke ${token.id}`}
            run={() => ask(api.DELETE('/api/v1/tokens/{token}', { params: { path: { token: token.id } } }))}
            done={t.revoked}
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
    <Panel title={t.password}>
      <p className="pb-2 text-muted">{t.settingOneEndsEveryOther}</p>
      <Act
        label={t.setAPassword}
        title={t.setYourPassword}
        run={async () => {
          await ask(api.PUT('/api/v1/session/password', { body: { ...(current && { current }), password } }))
          setCurrent('')
          setPassword('')
        }}
        done={t.yourPasswordIsSet}
        ready={password.length >= 12}
      >
        <TextField
          label={t.currentPassword}
          hint={t.emptyWhereYouHaveNone}
          type="password"
          autoComplete="current-password"
          value={current}
          set={setCurrent}
        />
        <TextField
          label={t.newPassword}
          hint={t.atLeastCharacters}
          type="password"
          autoComplete="new-password"
          value={password}
          set={setPassword}
        />
      </Act>
    </Panel>
  )
}
