import { keepPreviousData, useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { api, ask } from '../api/client.ts'
import { useMay } from '../app/session.tsx'
import { t } from '../strings/server.ts'
import { Act } from '../ui/act.tsx'
import { Button, CommandLine, Empty, Hash, PageHead, Panel } from '../ui/basics.tsx'
import { ErrorNote } from '../ui/load.tsx'
import { cell, Pages, Table } from '../ui/more.tsx'
import { Time } from '../ui/time.tsx'

const route = getRouteApi('/shell/audit')
const FILTERS = [
  { name: 'actor', label: t.actor, hint: t.actorSuchAsUser },
  { name: 'action', label: t.action, hint: t.actionSuchAsMrMerge },
  { name: 'subject', label: t.subject, hint: t.subject },
] as const

/** Who did what, in a chain of hashes. */
export function AuditPage() {
  const may = useMay()
  const filter = route.useSearch()
  const navigate = route.useNavigate()
  const query = useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/v1/audit', {
          params: { query: { ...filter, limit: 100, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  })
  const verify = useMutation({ mutationFn: () => ask(api.POST('/api/v1/audit/verify', { body: {} })) })
  const set =
    (name: (typeof FILTERS)[number]['name']) =>
    (event: React.ChangeEvent<HTMLInputElement>): void =>
      void navigate({ search: (before) => ({ ...before, [name]: event.target.value || undefined }), replace: true })
  return (
    <>
      <PageHead title={t.audit} lead={t.whoDidWhatEveryEvent}>
        <Button disabled={verify.isPending} onClick={() => verify.mutate()}>
          {verify.isPending ? t.verifying : t.verifyTheChain}
        </Button>
        <a
          href="/api/v1/audit/export"
          download="trueup-audit.jsonl"
          className="inline-flex h-7 items-center rounded border border-strong-line bg-panel px-2.5 font-medium hover:bg-hover"
        >
          {t.export}
        </a>
      </PageHead>
      {verify.error && <ErrorNote error={verify.error} />}
      {verify.data && (
        <p
          role="status"
          className={`mb-3 rounded border px-3 py-2 ${verify.data.ok ? 'border-ok/40 bg-ok-soft' : 'border-bad/40 bg-bad-soft'}`}
        >
          {verify.data.ok
            ? t.theChainHoldsEventsCheckpoints(verify.data.count.toLocaleString(), verify.data.checkpoints)
            : t.theChainIsBrokenAt(verify.data.firstBad?.seq ?? '', verify.data.firstBad?.why ?? '')}
        </p>
      )}
      {verify.data?.ok === false && (
        <div className="mb-3">
          <Act
            label={t.nameTheBreak}
            title={t.sayThatThisBreakOf}
            lead={t.nothingIsChangedANew}
            command="trueup audit reseal --reason REASON"
            run={async (reason) => {
              await ask(api.POST('/api/v1/audit/reseal', { body: { reason } }))
              verify.reset()
            }}
            done={t.theBreakIsNamed}
            reason={{ label: t.whatHappened }}
            variant="danger"
            whyNot={may('audit.reseal') ? null : t.onlyAdministratorsOfTheServer}
          />
        </div>
      )}
      <div className="flex flex-wrap items-center gap-2 pb-2">
        {FILTERS.map(({ name, label, hint }) => (
          <input
            key={name}
            type="search"
            aria-label={label}
            placeholder={hint}
            value={filter[name] ?? ''}
            onChange={set(name)}
            className="max-md:w-full"
          />
        ))}
        <span className="ml-auto max-md:hidden">
          <CommandLine line="trueup audit verify" />
        </span>
      </div>
      <Panel flush>
        <Pages query={query} empty={<Empty title={t.noEvents}>{t.noneMatchTakeAFilter}</Empty>}>
          {(events) => (
            <Table label={t.events} heads={['#', t.when, t.who, t.did, t.to, t.with, t.hash]}>
              {events.map((event) => (
                <tr key={event.seq} className="hover:bg-hover">
                  <td className={`${cell} text-muted`}>{event.seq}</td>
                  <td className={`${cell} text-muted`}>
                    <Time at={event.at} />
                  </td>
                  <td className={cell} title={event.actor}>
                    {event.actorName ?? event.actor}
                  </td>
                  <td className={`${cell} font-medium`}>{event.action}</td>
                  <td className={cell}>
                    <code className="whitespace-nowrap text-muted">{event.subject}</code>
                  </td>
                  <td className={`${cell} max-w-md`}>
                    <code className="line-clamp-2 text-muted wrap-anywhere">{JSON.stringify(event.data)}</code>
                  </td>
                  <td className={cell}>
                    <Hash value={event.hash} length={8} />
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Pages>
      </Panel>
    </>
  )
}
