import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { t } from '../../strings/sign-in.ts'
import { Act } from '../../ui/act.tsx'
import { Button, TextField } from '../../ui/basics.tsx'
import { EMPTY_RULE, readRules, type TypedRule, typed } from './group-rules.ts'

/** Adds a login provider, or changes the one that is there. */
export function ProviderAct({ provider, whyNot }: { provider?: Schemas['LoginProvider']; whyNot: string | null }) {
  const [name, setName] = useState(provider?.name ?? '')
  const [issuer, setIssuer] = useState(provider?.issuer ?? '')
  const [clientId, setClientId] = useState(provider?.clientId ?? '')
  const [secret, setSecret] = useState('')
  const [isPublic, setIsPublic] = useState(provider?.hasSecret === false)
  const [scopes, setScopes] = useState(provider?.scopes ?? '')
  const [groupsClaim, setGroupsClaim] = useState(provider?.groupsClaim ?? '')
  const [rules, setRules] = useState<readonly TypedRule[]>(provider?.rules.map(typed) ?? [EMPTY_RULE])
  const read = readRules(rules)
  const wrong = 'wrong' in read ? read.wrong : null
  const clientSecret = isPublic ? null : secret || undefined
  return (
    <Act
      label={provider ? t.change : t.addAProvider}
      title={provider ? t.changeName(provider.name) : t.addAProvider}
      lead={t.isAskedAtOnce}
      wide
      command={`trueup sso set ${name || 'NAME'} --issuer ${issuer || 'URL'} --client-id ${clientId || 'ID'} ${isPublic ? '--public-client' : '--client-secret-stdin'} --rules sso.yaml`}
      run={async () => {
        if (!('rules' in read)) return
        const body = {
          issuer: issuer.trim(),
          clientId: clientId.trim(),
          rules: read.rules,
          // What is left empty is as the server would have it.
          ...(scopes !== '' && { scopes }),
          ...(groupsClaim !== '' && { groupsClaim }),
          ...(clientSecret !== undefined && { clientSecret }),
        }
        await ask(api.PUT('/api/v1/login-providers/{provider}', { params: { path: { provider: name } }, body }))
        setSecret('')
      }}
      done={t.isSet(name)}
      whyNot={whyNot}
      ready={
        name !== '' &&
        issuer !== '' &&
        clientId !== '' &&
        wrong === null &&
        (provider !== undefined || clientSecret !== undefined)
      }
    >
      {!provider && (
        <TextField label={t.name} hint={t.onTheButton} value={name} set={setName} autoComplete="off" required />
      )}
      {/* People of another issuer are other people: the server refuses to change it. */}
      <TextField
        label={t.issuer}
        hint={t.exactly}
        type="url"
        value={issuer}
        set={setIssuer}
        placeholder={t.exampleIssuer}
        readOnly={provider !== undefined}
        required
      />
      <TextField label={t.clientId} value={clientId} set={setClientId} autoComplete="off" required />
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={isPublic} onChange={(event) => setIsPublic(event.target.checked)} />
        {t.noSecret}
      </label>
      {!isPublic && (
        <TextField
          label={t.clientSecret}
          hint={provider?.hasSecret ? t.emptyAsItWas : undefined}
          type="password"
          value={secret}
          set={setSecret}
          autoComplete="off"
        />
      )}
      <div className="grid grid-cols-2 gap-3 max-md:grid-cols-1">
        <TextField label={t.scopes} hint={t.defaultScopes} value={scopes} set={setScopes} />
        <TextField label={t.groupsClaim} hint={t.defaultClaim} value={groupsClaim} set={setGroupsClaim} />
      </div>
      <Rules rules={rules} set={setRules} />
      <p role="status" className="min-h-5 text-sm text-warn">
        {wrong}
      </p>
    </Act>
  )
}

function Rules({ rules, set }: { rules: readonly TypedRule[]; set: (rules: readonly TypedRule[]) => void }) {
  const change = (at: number, more: Partial<TypedRule>): void =>
    set(rules.map((rule, its) => (its === at ? { ...rule, ...more } : rule)))
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="pb-1 font-medium">{t.rules}</legend>
      <p className="text-sm text-muted">{t.orEverybody}</p>
      {rules.map((rule, at) => (
        <div key={at} className="flex flex-wrap items-center gap-2 rounded border border-line p-2">
          <input
            className="w-40 grow"
            aria-label={t.groupOfRule(at + 1)}
            placeholder={t.group}
            value={rule.group}
            onChange={(event) => change(at, { group: event.target.value })}
          />
          <input
            className="w-32 grow"
            aria-label={t.teamsOfRule(at + 1)}
            placeholder={t.exampleTeams}
            value={rule.teams}
            onChange={(event) => change(at, { teams: event.target.value })}
          />
          <input
            className="w-40 grow"
            aria-label={t.rolesOfRule(at + 1)}
            placeholder={t.exampleRoles}
            value={rule.roles}
            onChange={(event) => change(at, { roles: event.target.value })}
          />
          <label className="flex items-center gap-1.5">
            <input
              type="checkbox"
              checked={rule.admin}
              onChange={(event) => change(at, { admin: event.target.checked })}
            />
            {t.administrator}
          </label>
          <Button
            variant="quiet"
            aria-label={t.removeRule(at + 1)}
            disabled={rules.length === 1}
            onClick={() => set(rules.filter((_, its) => its !== at))}
          >
            <Trash2 size={14} aria-hidden />
          </Button>
        </div>
      ))}
      <Button className="self-start" onClick={() => set([...rules, EMPTY_RULE])}>
        {t.addARule}
      </Button>
    </fieldset>
  )
}
