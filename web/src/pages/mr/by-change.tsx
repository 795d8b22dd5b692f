import { useQueries } from '@tanstack/react-query'
import type { Schemas } from '../../api/client.ts'
import { runQuery } from '../../api/queries.ts'
import { t } from '../../strings/merge-requests.ts'
import { ErrorNote } from '../../ui/load.tsx'
import { transitionsOf } from '../../ui/plan-change.ts'
import { ChangeList } from '../../ui/plan.tsx'

/** So many of the equal ones are named before the rest is folded. */
const NAMED = 8

/** One diff over all stacks: what is the same change in many places stands there once. */
export function ByChange({ mr }: { mr: Schemas['MergeRequest'] }) {
  const planned = mr.stacks.filter((stack) => stack.run !== null)
  const runs = useQueries({ queries: planned.map((stack) => runQuery(stack.run!)) })
  const error = runs.find((each) => each.error)?.error
  const plans = runs.flatMap(({ data }) => (data?.plan ? [{ stack: data.stack, plan: data.plan }] : []))
  const transitions = transitionsOf(plans)
  const lacking = mr.stacks.filter(({ stack }) => !plans.some((plan) => plan.stack === stack))
  const partly = plans.filter(({ plan }) => plan.coverage.unchecked.length > 0)
  return (
    <div className="flex flex-col gap-2">
      {error && <ErrorNote error={error} />}
      {lacking.length > 0 && (
        <p className="rounded border border-warn/40 bg-warn-soft px-3 py-1.5 wrap-anywhere">
          {t.withoutAPlanSoNot(lacking.map(({ stack }) => stack).join(', '))}
        </p>
      )}
      {partly.length > 0 && (
        <p className="rounded border border-warn/40 bg-warn-soft px-3 py-1.5 wrap-anywhere">
          {t.notAllWasLookedAt(partly.map(({ stack }) => stack).join(', '))}
        </p>
      )}
      {transitions.length === 0 && plans.length > 0 && <p className="text-muted">{t.nothingWouldChange}</p>}
      <ul className="flex flex-col gap-2" aria-label={t.changesOverAllStacks}>
        {transitions.map(({ change, places }) => (
          <li
            key={`${places[0]!.stack} ${places[0]!.address}`}
            className="flex flex-col gap-2 rounded-lg border border-line bg-panel p-3"
          >
            <p className="font-medium">{places.length === 1 ? places[0]!.stack : t.theSameInPlaces(places.length)}</p>
            <ChangeList changes={[change]} />
            {places.length > 1 && <Places places={places} />}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Places({ places }: { places: readonly { stack: string; address: string }[] }) {
  const list = (of: typeof places) => (
    <ul className="text-sm">
      {of.map(({ stack, address }) => (
        <li key={`${stack} ${address}`} className="wrap-anywhere">
          {stack} <code className="text-muted">{address}</code>
        </li>
      ))}
    </ul>
  )
  const rest = places.slice(NAMED)
  return (
    <div>
      {list(places.slice(0, NAMED))}
      {rest.length > 0 && (
        <details>
          <summary className="text-sm text-muted">{t.andMore(rest.length)}</summary>
          {list(rest)}
        </details>
      )}
    </div>
  )
}
