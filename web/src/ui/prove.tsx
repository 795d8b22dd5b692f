import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../api/client.ts'
import { t } from '../strings/second-factor.ts'
import { Button, TextField } from './basics.tsx'
import { ErrorNote } from './load.tsx'

/** Asks for the second factor where an environment does, and goes on with what was refused. */
export function Prove({ then }: { then: () => void }) {
  const [code, setCode] = useState('')
  const prove = useMutation({
    mutationFn: () => ask(api.POST('/api/v1/session/second-factor/prove', { body: { code } })),
    onSuccess: () => {
      setCode('')
      then()
    },
  })
  return (
    <div className="flex flex-col gap-2 rounded border border-hold/40 bg-hold-soft p-3">
      <TextField label={t.codeOrRecovery} autoComplete="one-time-code" value={code} set={setCode} />
      {prove.error && <ErrorNote error={prove.error} />}
      <Button disabled={code.length < 6 || prove.isPending} onClick={() => prove.mutate()}>
        {t.proveAndGoOn}
      </Button>
    </div>
  )
}
