import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { t } from '../../strings/second-factor.ts'
import { Button, CommandLine, Panel, TextField } from '../../ui/basics.tsx'
import { ErrorNote } from '../../ui/load.tsx'

/** Sets a second factor up: a key for the app, a code of it, and recovery codes that are shown once. */
export function EnrolSecondFactor({ done }: { done: () => void }) {
  const [code, setCode] = useState('')
  const client = useQueryClient()
  const begin = useMutation({ mutationFn: () => ask(api.POST('/api/v1/session/second-factor', {})) })
  const confirm = useMutation({
    mutationFn: () => ask(api.POST('/api/v1/session/second-factor/confirm', { body: { code } })),
  })
  if (confirm.data)
    return (
      <Panel title={t.recoveryCodes}>
        <p className="pb-2">{t.keepThem}</p>
        <ul className="columns-2 pb-3">
          {confirm.data.recoveryCodes.map((one) => (
            <li key={one}>
              <code>{one}</code>
            </li>
          ))}
        </ul>
        <Button
          variant="primary"
          onClick={() => {
            void client.invalidateQueries()
            done()
          }}
        >
          {t.theyAreKept}
        </Button>
      </Panel>
    )
  if (!begin.data)
    return (
      <Panel title={t.secondFactor}>
        <p className="pb-2 text-muted">{t.whatItIs}</p>
        {begin.error && <ErrorNote error={begin.error} />}
        <Button onClick={() => begin.mutate()} disabled={begin.isPending}>
          {t.setItUp}
        </Button>
      </Panel>
    )
  return (
    <Panel title={t.secondFactor}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          confirm.mutate()
        }}
      >
        <p>{t.addTheKey}</p>
        <CommandLine line={begin.data.secret} />
        <TextField label={t.codeThatItShows} autoComplete="one-time-code" value={code} set={setCode} required />
        {confirm.error && <ErrorNote error={confirm.error} />}
        <Button type="submit" variant="primary" disabled={confirm.isPending}>
          {t.confirm}
        </Button>
      </form>
    </Panel>
  )
}
