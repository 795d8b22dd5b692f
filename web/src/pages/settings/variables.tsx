import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/settings.ts'
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
      label={t.setAVariable}
      title={t.setAVariable}
      lead={t.stacksThatAreDeployedAre}
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
      done={t.isSet(name)}
      whyNot={whyNot('variable.write')}
      ready={name !== ''}
    >
      <TextField label={t.name} value={name} set={setName} autoComplete="off" />
      <Field label={t.value} hint={t.itCannotBeReadAgain}>
        <textarea rows={2} value={value} onChange={(event) => setValue(event.target.value)} autoComplete="off" />
      </Field>
      <TextField label={t.environment} hint={t.emptyAllOfThem} value={environment} set={setEnvironment} />
      <TextField label={t.stack} hint={t.itsNameInTheEnvironment} value={stack} set={setStack} />
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={secret} onChange={(event) => setSecret(event.target.checked)} />
        {t.secretMaskedInLogs}
      </label>
    </Act>
  )
  const refused = whyNot('variable.list')
  if (refused) return <Empty title={t.notForYourRole}>{refused}</Empty>
  return (
    <Panel title={t.variables} flush aside={set}>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t.noVariables}>{t.toolsReceiveThemAsEnvironment}</Empty>
          ) : (
            <Table label={t.variables} heads={[t.name, t.for, t.version, t.setBy, '']}>
              {items.map((variable) => (
                <tr key={variable.id}>
                  <td className={cell}>
                    <code className="font-medium">{variable.name}</code>
                    {variable.secret && <span className="ml-2 text-sm text-muted">{t.secret}</span>}
                  </td>
                  <td className={cell}>
                    {variable.environment ?? t.everyEnvironment}
                    {variable.stack && `/${variable.stack}`}
                    {variable.phase !== 'both' && <span className="text-muted">{t.phaseOnly(variable.phase)}</span>}
                  </td>
                  <td className={cell}>{variable.version}</td>
                  <td className={`${cell} text-muted`}>
                    {variable.updatedBy} <Time at={variable.updatedAt} />
                  </td>
                  <td className={`${cell} text-right`}>
                    <Act
                      label={t.delete}
                      title={t.deleteName(variable.name)}
                      lead={t.whatUsedItIsPlanned}
                      command={`trueup variable delete ${variable.name} --repo ${repository}`}
                      run={() =>
                        ask(
                          api.DELETE('/api/v1/repositories/{repository}/variables/{variable}', {
                            params: { path: { repository, variable: variable.id } },
                          }),
                        )
                      }
                      done={t.deleted}
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
