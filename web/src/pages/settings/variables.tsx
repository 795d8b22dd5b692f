import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { Act } from '../../ui/act.tsx'
import { Empty, Field, Panel, TextField } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'

/** Values go in and never come out: only the workers of their stacks receive them. */
export function Variables({ repository: { name: repository } }: { repository: Schemas['Repository'] }) {
  const whyNot = useWhyNot(repository)
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const [environment, setEnvironment] = useState('')
  const [stack, setStack] = useState('')
  const [secret, setSecret] = useState(true)
  const query = useQuery({
    queryKey: ['variables', repository],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/variables', {
          params: { path: { repository }, query: { limit: 200 } },
        }),
      ),
    enabled: whyNot('variable.list') === null,
  })
  const set = (
    <Act
      label="Set a variable"
      title="Set a variable"
      lead="Stacks that are deployed are planned with it."
      command={`trueup variable set ${name || 'NAME'} --repo ${repository}`}
      run={async () => {
        await ask(
          api.PUT('/api/v1/repositories/{repository}/variables', {
            params: { path: { repository } },
            body: { name, value, secret, environment: environment || null, stack: stack || null, phase: 'both' },
          }),
        )
        setValue('')
      }}
      done={`${name} is set`}
      whyNot={whyNot('variable.write')}
      ready={name !== ''}
    >
      <TextField label="Name" value={name} set={setName} autoComplete="off" />
      <Field label="Value" hint="It cannot be read again, here or anywhere else.">
        <textarea rows={2} value={value} onChange={(event) => setValue(event.target.value)} autoComplete="off" />
      </Field>
      <TextField label="Environment" hint="Empty: all of them" value={environment} set={setEnvironment} />
      <TextField label="Stack" hint="Its name in the environment; empty: all of them" value={stack} set={setStack} />
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={secret} onChange={(event) => setSecret(event.target.checked)} />
        Secret: masked in logs
      </label>
    </Act>
  )
  const refused = whyNot('variable.list')
  if (refused) return <Empty title="Not for your role">{refused}</Empty>
  return (
    <Panel title="Variables" flush aside={set}>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No variables">
              Tools receive them as environment variables; secrets are masked in what they print.
            </Empty>
          ) : (
            <Table label="Variables" heads={['Name', 'For', 'Version', 'Set by', '']}>
              {items.map((variable) => (
                <tr key={variable.id}>
                  <td className={cell}>
                    <code className="font-medium">{variable.name}</code>
                    {variable.secret && <span className="ml-2 text-sm text-muted">secret</span>}
                  </td>
                  <td className={cell}>
                    {variable.environment ?? 'every environment'}
                    {variable.stack && `/${variable.stack}`}
                    {variable.phase !== 'both' && <span className="text-muted">, {variable.phase} only</span>}
                  </td>
                  <td className={cell}>{variable.version}</td>
                  <td className={`${cell} text-muted`}>
                    {variable.updatedBy} <Time at={variable.updatedAt} />
                  </td>
                  <td className={`${cell} text-right`}>
                    <Act
                      label="Delete"
                      title={`Delete ${variable.name}`}
                      lead="What used it is planned without it."
                      command={`trueup variable delete ${variable.name} --repo ${repository}`}
                      run={() =>
                        ask(
                          api.DELETE('/api/v1/repositories/{repository}/variables/{variable}', {
                            params: { path: { repository, variable: variable.id } },
                          }),
                        )
                      }
                      done="Deleted"
                      variant="danger"
                      whyNot={whyNot('variable.write')}
                    />
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </Panel>
  )
}
