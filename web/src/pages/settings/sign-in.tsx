import { useQuery } from '@tanstack/react-query'
import { api, ask, type Schemas } from '../../api/client.ts'
import { useMay } from '../../app/session.tsx'
import { t } from '../../strings/sign-in.ts'
import { Act } from '../../ui/act.tsx'
import { CommandLine, Empty, Facts, Panel } from '../../ui/basics.tsx'
import { Loaded } from '../../ui/load.tsx'
import { cell, Table } from '../../ui/more.tsx'
import type { GroupRule } from './group-rules.ts'
import { ProviderAct } from './provider-act.tsx'

/** Providers at which people log in, and what their groups give. */
export function SignIn() {
  const whyNot = useMay()('login-provider.manage') ? null : t.onlyAdministratorsOfThisServer
  const query = useQuery({
    queryKey: ['login-providers'],
    queryFn: () => ask(api.GET('/api/v1/login-providers')),
  })
  return (
    <div className="flex flex-col gap-3">
      <div className="flex items-center gap-3">
        <p className="text-muted">{t.peopleLogInAt}</p>
        <span className="ml-auto">
          <ProviderAct whyNot={whyNot} />
        </span>
      </div>
      <Loaded query={query}>
        {(providers) =>
          providers.length === 0 ? (
            <Panel>
              <Empty title={t.noProviders}>{t.localAccountsOnly}</Empty>
            </Panel>
          ) : (
            providers.map((provider) => <Provider key={provider.name} provider={provider} whyNot={whyNot} />)
          )
        }
      </Loaded>
    </div>
  )
}

function Provider({ provider, whyNot }: { provider: Schemas['LoginProvider']; whyNot: string | null }) {
  const { name, issuer, clientId, hasSecret, groupsClaim, scopes, callbackUrl, rules } = provider
  return (
    <Panel
      title={name}
      aside={
        <>
          <ProviderAct provider={provider} whyNot={whyNot} />
          <Act
            label={t.remove}
            title={t.removeName(name)}
            lead={t.theyKeepAccounts}
            command={`trueup sso remove ${name}`}
            run={() => ask(api.DELETE('/api/v1/login-providers/{provider}', { params: { path: { provider: name } } }))}
            done={t.removed}
            variant="danger"
            whyNot={whyNot}
          />
        </>
      }
    >
      <Facts
        rows={[
          ['issuer', <code key="issuer">{issuer}</code>],
          [t.client, `${clientId}${hasSecret ? '' : t.publicClient}`],
          [
            t.callback,
            <span key="callback" className="flex flex-wrap items-center gap-2">
              <CommandLine line={callbackUrl} />
              <span className="text-muted">{t.registerIt}</span>
            </span>,
          ],
          ['scopes', scopes],
          [t.groupsIn, <code key="claim">{groupsClaim}</code>],
        ]}
      />
      <div className="-mx-3 -mb-3 mt-3 border-t border-line">
        <Table label={t.rules} heads={[t.group, t.gives]}>
          {rules.map((rule, at) => (
            <tr key={at}>
              <td className={`${cell} font-medium wrap-anywhere`}>{rule.group === '*' ? t.everybody : rule.group}</td>
              <td className={`${cell} wrap-anywhere`}>{gives(rule)}</td>
            </tr>
          ))}
        </Table>
      </div>
    </Panel>
  )
}

function gives({ admin, teams = [], roles = {} }: GroupRule): string {
  const rights = [
    ...(admin ? [t.administrators] : []),
    ...(teams.length > 0 ? [t.teamsAre(teams.join(', '))] : []),
    ...Object.entries(roles).map(([repository, role]) => t.roleIn(role, repository)),
  ]
  return rights.length > 0 ? rights.join('; ') : t.nothingBut
}
