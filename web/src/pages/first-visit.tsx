import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, ask } from '../api/client.ts'
import { serverQuery } from '../api/queries.ts'
import { useMay } from '../app/session.tsx'
import { t } from '../strings/overview.ts'
import { Button, CommandLine, Empty, TextField } from '../ui/basics.tsx'
import { ErrorNote } from '../ui/load.tsx'
import { t as ofConnections } from '../strings/connections.ts'
import { ConnectRepository } from './settings/connect.tsx'

const RULES = `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1 }
    drift: { mode: enforce, interval: 10m }
stacks: []
`

/** An empty server: the first repository, the rules, the first merge request. */
export function FirstVisitPage() {
  const may = useMay()
  const [name, setName] = useState('')
  const client = useQueryClient()
  const navigate = useNavigate()
  const { data: server } = useQuery(serverQuery)
  const goTo = async (repository: string): Promise<void> => {
    await client.invalidateQueries({ queryKey: ['repositories'] })
    await navigate({ to: '/r/$repository', params: { repository } })
  }
  const create = useMutation({
    mutationFn: () => ask(api.POST('/api/v1/repositories', { body: { name } })),
    onSuccess: () => goTo(name),
  })
  if (!may('repository.create')) return <Empty title={t.noRepositoryForYouYet}>{t.anAdministratorCanGiveYou}</Empty>
  const remote = `${server?.url ?? ''}/git/${name || 'NAME'}.git`
  return (
    <div className="mx-auto flex max-w-2xl flex-col gap-4 pt-6">
      <h1 className="text-xl font-semibold tracking-tight">{t.welcomeThreeStepsToThe}</h1>
      <Step number={1} title={t.makeARepository}>
        <form
          className="flex flex-wrap items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault()
            create.mutate()
          }}
        >
          <TextField label={t.name} value={name} set={setName} placeholder={t.shop} required />
          <Button type="submit" variant="primary" disabled={create.isPending || name === ''}>
            {t.create}
          </Button>
        </form>
        {create.error && <ErrorNote error={create.error} />}
        <p className="text-sm text-muted">
          {t.inATerminal}
          <CommandLine line={`trueup repo create ${name || 'NAME'}`} />
        </p>
        <div className="flex flex-wrap items-center gap-2 pt-2">
          <span className="text-muted">{ofConnections.orOneThatIsElsewhere}</span>
          <ConnectRepository then={(connected) => void goTo(connected)} />
        </div>
      </Step>
      <Step number={2} title={t.pushTheRulesAsThe}>
        <pre className="max-w-full overflow-x-auto rounded bg-sunken p-3">{RULES}</pre>
        <p className="text-muted">
          {t.inADirectoryOfYours}
          <code>trueup init</code>
          {t.findsTheToolsThatAre}
          <code>trueup.yaml</code>
          {t.withTheStacksItDetects}
        </p>
        <CommandLine line={`git remote add origin ${remote}`} />
        <CommandLine line="git push origin HEAD:refs/heads/main" />
      </Step>
      <Step number={3} title={t.openTheFirstMergeRequest}>
        <p className="text-muted">{t.addAStackOnA}</p>
        <CommandLine line="git push -o mr origin HEAD" />
      </Step>
    </div>
  )
}

function Step({ number, title, children }: { number: number; title: string; children: React.ReactNode }) {
  return (
    <section className="min-w-0 rounded-lg border border-line bg-panel p-4">
      <h2 className="flex items-center gap-2 pb-2 text-lg font-semibold">
        <span className="grid size-6 place-items-center rounded-full bg-accent-soft text-sm text-accent">{number}</span>
        {title}
      </h2>
      <div className="flex flex-col items-start gap-2 pl-8 max-md:pl-0">{children}</div>
    </section>
  )
}
