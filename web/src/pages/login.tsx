import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { api, ApiError, ask } from '../api/client.ts'
import { Level } from '../app/navigation.tsx'
import { t } from '../strings/overview.ts'
import { Button, CommandLine, TextField } from '../ui/basics.tsx'
import { ErrorNote } from '../ui/load.tsx'
import { EnrolSecondFactor } from './settings/enrol-second-factor.tsx'

/** The code of a one-time link stands in the fragment, which is sent to nobody, and is taken out of the address at once. */
function takeCode(): string | null {
  const code = new URLSearchParams(window.location.hash.slice(1)).get('code')
  if (code !== null) window.history.replaceState(null, '', window.location.pathname + window.location.search)
  return code
}

export function LoginPage() {
  const { to, failed } = useSearch({ from: '/login' })
  const client = useQueryClient()
  const router = useRouter()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [factor, setFactor] = useState('')
  const login = useMutation({
    mutationFn: (code: string | null) =>
      code === null
        ? ask(api.POST('/api/v1/session/browser', { body: { name, password, ...(factor && { code: factor }) } }))
        : ask(api.POST('/api/v1/session/redeem', { body: { code } })),
    onSuccess: async ({ owesSecondFactor }) => {
      client.clear()
      // Nothing else is answered before: it is set up here.
      if (owesSecondFactor) return
      // Only a path of this site: an address in the query must not lead anywhere else.
      router.history.push(to && /^\/(?![/\\])/.test(to) ? to : '/')
    },
  })
  const { mutate } = login
  const [isAsked, setAsked] = useState(false)
  const refusal = login.error instanceof ApiError ? login.error.body.code : null
  if (refusal === 'SECOND_FACTOR_REQUIRED' && !isAsked) setAsked(true)
  const tried = useRef(false)
  useEffect(() => {
    if (tried.current) return
    tried.current = true
    const code = takeCode()
    if (code !== null) mutate(code)
  }, [mutate])
  const leave = (): void => router.history.push(to && /^\/(?![/\\])/.test(to) ? to : '/')
  if (login.data?.owesSecondFactor)
    return (
      <main className="mx-auto flex min-h-full max-w-[480px] flex-col justify-center gap-4 p-4">
        <p>{t.secondFactorIsAsked}</p>
        <EnrolSecondFactor done={leave} />
      </main>
    )
  return (
    <main className="mx-auto flex min-h-full max-w-[360px] flex-col justify-center gap-4 p-4">
      <h1 className="flex items-center gap-2 text-xl font-semibold tracking-tight">
        <Level />
        {t.trueup}
      </h1>
      <form
        className="flex flex-col gap-3 rounded-lg border border-line bg-panel p-4"
        onSubmit={(event) => {
          event.preventDefault()
          mutate(null)
        }}
      >
        <TextField label={t.name} autoFocus autoComplete="username" value={name} set={setName} required />
        <TextField
          label={t.password}
          type="password"
          autoComplete="current-password"
          value={password}
          set={setPassword}
          required
        />
        {isAsked && (
          <TextField
            label={t.codeOfYourApp}
            hint={t.orARecoveryCode}
            autoComplete="one-time-code"
            value={factor}
            set={setFactor}
            required
          />
        )}
        {login.error && !(isAsked && factor === '') && <ErrorNote error={login.error} />}
        <Button type="submit" variant="primary" disabled={login.isPending}>
          {login.isPending ? t.loggingIn : t.logIn}
        </Button>
      </form>
      <Providers to={to} failed={failed} />
      <p className="text-muted">
        {t.noPasswordYetOnA}
        <CommandLine line="trueup open" />
      </p>
    </main>
  )
}

/** Single sign-on: a visit to the server, which sends the browser on; where it failed, the server's log says why. */
function Providers({ to, failed }: { to: string | undefined; failed: string | undefined }) {
  const ways = useQuery({ queryKey: ['login-ways'], queryFn: () => ask(api.GET('/api/v1/login/providers')) })
  const providers = ways.data?.providers ?? []
  const query = to ? `?to=${encodeURIComponent(to)}` : ''
  return (
    <>
      {failed !== undefined && (
        <p role="alert" className="rounded border border-bad/40 bg-bad-soft p-3">
          {failed === 'FORBIDDEN' ? t.ssoForbidden : failed === 'LOGIN_PROVIDER' ? t.ssoAway : t.ssoRefused}
        </p>
      )}
      {providers.map(({ name }) => (
        <Button
          key={name}
          onClick={() => window.location.assign(`/api/v1/login/${encodeURIComponent(name)}/start${query}`)}
        >
          {t.logInWith(name)}
        </Button>
      ))}
    </>
  )
}
