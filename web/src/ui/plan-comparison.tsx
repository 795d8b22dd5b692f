import type { Schemas } from '../api/client.ts'
import { t } from '../strings/parts.ts'
import { comparePlans } from './plan-change.ts'
import { ChangeList } from './plan.tsx'

/** How `after` differs from `before`, change by change. `than`: what `before` is, as in "the approved plan". */
export function PlanComparison({
  before,
  after,
  than,
}: {
  before: Schemas['Plan']
  after: Schemas['Plan']
  than: string
}) {
  const { more, less, other, same, unchecked } = comparePlans(before, after)
  const equal = more.length + less.length + other.length + unchecked.more.length + unchecked.less.length === 0
  if (equal) return <p className="text-muted">{t.itDoesTheSameAs(than)}</p>
  return (
    <div className="flex flex-col gap-3">
      <Part title={t.plannedBesides(than)} count={more.length}>
        <ChangeList changes={more} />
      </Part>
      <Part title={t.plannedNoMoreWhichHeld(than)} count={less.length}>
        <ChangeList changes={less} />
      </Part>
      <Part title={t.plannedOtherwiseThanIn(than)} count={other.length}>
        <ul className="flex flex-col gap-2">
          {other.map((pair) => (
            <li key={pair.after.address} className="grid grid-cols-2 gap-2 max-md:grid-cols-1">
              <div className="min-w-0">
                <p className="text-sm text-muted">{t.before}</p>
                <ChangeList changes={[pair.before]} />
              </div>
              <div className="min-w-0">
                <p className="text-sm text-muted">{t.now}</p>
                <ChangeList changes={[pair.after]} />
              </div>
            </li>
          ))}
        </ul>
      </Part>
      <Part title={t.notLookedAtAnyMore} count={unchecked.more.length}>
        <Addresses of={unchecked.more} />
      </Part>
      <Part title={t.lookedAtNowAndNot} count={unchecked.less.length}>
        <Addresses of={unchecked.less} />
      </Part>
      {same > 0 && (
        <p className="text-sm text-muted">{t.theSameInBoth(same, same === 1 ? t.changeIs : t.changesAre)}</p>
      )}
    </div>
  )
}

function Part({ title, count, children }: { title: string; count: number; children: React.ReactNode }) {
  if (count === 0) return null
  return (
    <section>
      <h3 className="pb-1 font-medium">
        {title}: {count}
      </h3>
      {children}
    </section>
  )
}

function Addresses({ of }: { of: readonly string[] }) {
  return (
    <ul>
      {of.map((address) => (
        <li key={address}>
          <code className="wrap-anywhere">{address}</code>
        </li>
      ))}
    </ul>
  )
}
