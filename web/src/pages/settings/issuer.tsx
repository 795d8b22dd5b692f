import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ask } from '../../api/client.ts'
import { useMay } from '../../app/session.tsx'
import { t } from '../../strings/sign-in.ts'
import { Act } from '../../ui/act.tsx'
import { CommandLine, Facts, Panel } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import { Time } from '../../ui/time.tsx'

/** The server as an issuer of tokens: by what clouds know its runs. */
export function Issuer() {
  const whyNot = useMay()('issuer.rotate') ? null : t.onlyAdministratorsOfThisServer
  const [now, setNow] = useState(false)
  const query = useQuery({ queryKey: ['issuer'], queryFn: () => ask(api.GET('/api/v1/issuer')) })
  return (
    <Panel
      title={t.identityOfRuns}
      aside={
        <Act
          label={t.rotate}
          title={t.rotate}
          lead={t.bothAreShown}
          command={`trueup issuer rotate${now ? ' --now' : ''}`}
          run={() => ask(api.POST('/api/v1/issuer/rotate', { body: { now } }))}
          done={t.isReplaced}
          variant={now ? 'danger' : 'plain'}
          whyNot={whyNot}
        >
          <label className="flex items-center gap-2">
            <input type="checkbox" checked={now} onChange={(event) => setNow(event.target.checked)} />
            {t.now}
          </label>
        </Act>
      }
    >
      <p className="pb-3 text-muted">{t.cloudsKnowRuns}</p>
      <Loaded query={query}>
        {({ issuer, discoveryUrl, keysUrl, keys }) => (
          <>
            <Facts
              rows={[
                ['issuer', <CommandLine key="issuer" line={issuer} />],
                [t.discovery, <CommandLine key="discovery" line={discoveryUrl} />],
                [t.keys, <CommandLine key="keys" line={keysUrl} />],
              ]}
            />
            <div className="-mx-3 -mb-3 mt-3 border-t border-line">
              <Table label={t.keys} heads={[t.key, t.made, t.signsFrom, t.shownUntil, t.state]}>
                {keys.map((key) => (
                  <tr key={key.id}>
                    <td className={cell}>
                      <code>{key.id}</code>
                    </td>
                    <td className={`${cell} text-muted`}>
                      <Time at={key.createdAt} />
                    </td>
                    <td className={`${cell} text-muted`}>
                      <Time at={key.signsFrom} />
                    </td>
                    <td className={`${cell} text-muted`}>
                      <Time at={key.shownUntil} none={t.noNewerOne} />
                    </td>
                    <td className={cell}>{key.signs ? t.signs : key.shownUntil === null ? t.announced : t.replaced}</td>
                  </tr>
                ))}
              </Table>
            </div>
          </>
        )}
      </Loaded>
    </Panel>
  )
}
