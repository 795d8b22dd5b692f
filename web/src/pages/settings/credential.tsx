import { type ReactNode, useState } from 'react'
import { t } from '../../strings/connections.ts'
import { Field, TextField } from '../../ui/basics.tsx'

export type ForgeName = 'github' | 'gitlab' | 'gitea'

/** What Trueup is known by on a forge, as it is being typed. */
interface Credential {
  fields: ReactNode
  /** As the server takes it; null while something is missing. */
  token: string | null
  /** The options of the command that says the same. */
  options: string
  /** Forgets it: nothing secret stays in a page that is not used. */
  clear: () => void
}

/** A token of an account, or number and key of a GitHub App. `forge`: null where that is not known yet. */
export function useCredential(forge: ForgeName | null): Credential {
  const [isApp, setIsApp] = useState(false)
  const [token, setToken] = useState('')
  const [app, setApp] = useState('')
  const [key, setKey] = useState('')
  const mayBeApp = forge === null || forge === 'github'
  const byApp = mayBeApp && isApp
  const needs = t.needs[byApp ? 'app' : (forge ?? 'any')]
  const clear = (): void => {
    setToken('')
    setKey('')
  }
  return {
    fields: (
      <>
        {mayBeApp && (
          <Field label={t.trueupIsThere}>
            <select value={byApp ? 'app' : 'token'} onChange={(event) => setIsApp(event.target.value === 'app')}>
              <option value="token">{t.anAccount}</option>
              <option value="app">{t.anApp}</option>
            </select>
          </Field>
        )}
        {byApp ? (
          <>
            <TextField label={t.numberOfTheApp} value={app} set={setApp} inputMode="numeric" autoComplete="off" />
            <Field label={t.itsPrivateKey} hint={`${t.theFileThat} ${t.sealed}`}>
              <input
                type="file"
                accept=".pem"
                onChange={(event) => void event.target.files?.[0]?.text().then((text) => setKey(text.trim()))}
              />
            </Field>
          </>
        ) : (
          <TextField
            label={t.token}
            hint={t.sealed}
            type="password"
            value={token}
            set={setToken}
            autoComplete="off"
            spellCheck={false}
          />
        )}
        <p className="rounded bg-sunken px-3 py-2 text-sm text-muted">{needs}</p>
      </>
    ),
    token: byApp ? (/^\d+$/.test(app.trim()) && key !== '' ? `${app.trim()}\n${key}` : null) : token.trim() || null,
    options: byApp ? `--app ${app.trim() || 'NUMBER'} --key-file FILE` : '--token-file FILE',
    clear,
  }
}
