import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { useMay } from '../../app/session.tsx'
import { t } from '../../strings/connections.ts'
import { Act } from '../../ui/act.tsx'
import { Field, TextField } from '../../ui/basics.tsx'
import { type ForgeName, useCredential } from './credential.tsx'

const FORGES: readonly (readonly [ForgeName, string])[] = [
  ['github', 'GitHub'],
  ['gitlab', 'GitLab'],
  ['gitea', t.giteaOrForgejo],
]

/** Connects a repository of another forge. `then` hears what it is called here. */
export function ConnectRepository({ then }: { then?: (name: string) => void }) {
  const may = useMay()('repository.create')
  const [url, setUrl] = useState('')
  const [forge, setForge] = useState<ForgeName | null>(null)
  const [name, setName] = useState('')
  const { fields, token, options, clear } = useCredential(forge)
  const more = `${forge === null ? '' : ` --forge ${forge}`}${name === '' ? '' : ` --name ${name}`}`
  return (
    <Act
      label={t.connectARepository}
      title={t.ofAnotherForge}
      lead={t.itStaysWhereItIs}
      command={`trueup repo connect ${url.trim() || 'ADDRESS'} ${options}${more}`}
      run={async () => {
        const body = { url: url.trim(), token: token!, ...(forge && { forge }), ...(name !== '' && { name }) }
        const made = await ask(api.POST('/api/v1/connections', { body }))
        clear()
        setUrl('')
        setName('')
        then?.(made.name)
      }}
      done={t.isConnected}
      whyNot={may ? null : t.onlyAdministratorsOfThisServer}
      ready={url.trim() !== '' && token !== null}
    >
      <TextField label={t.address} type="url" value={url} set={setUrl} placeholder={t.exampleAddress} />
      <Field label={t.whatItIs}>
        <select value={forge ?? ''} onChange={(event) => setForge((event.target.value || null) as ForgeName | null)}>
          <option value="">{t.foundOut}</option>
          {FORGES.map(([id, label]) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      {fields}
      <TextField label={t.nameHere} hint={t.emptyTheLastPart} value={name} set={setName} autoComplete="off" />
    </Act>
  )
}
