import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Schemas } from '../../api/client.ts'
import { environmentsQuery, placesQuery, stackQuery } from '../../api/queries.ts'
import { t } from '../../strings/stack.ts'
import { stateLook } from '../../text.ts'
import { CommandLine, Hash, PageHead, Panel } from '../../ui/basics.tsx'
import { Loaded, Waiting } from '../../ui/load.tsx'
import { valueText } from '../../ui/plan.tsx'
import { Facets } from './facets.tsx'
import { State } from '../../ui/status.tsx'
import { Time, useNow } from '../../ui/time.tsx'
import { StackActs } from './acts.tsx'
import { StackDrift } from './drift.tsx'
import { History } from './history.tsx'
import { EnvironmentNotices } from '../environment-notices.tsx'
import { Quarantined } from '../quarantined.tsx'
import { Resources } from './resources.tsx'
import { States } from './state.tsx'

const route = getRouteApi('/shell/r/$repository/stacks/$')
const GRACE_MS = 120_000

export function StackPage() {
  const { repository, _splat: key = '' } = route.useParams()
  const query = useQuery(stackQuery(repository, key))
  // Its notices come with it: what is below them would move if they came later.
  if (!useQuery(environmentsQuery(repository)).isFetched) return <Waiting />
  return (
    <Loaded page query={query}>
      {(stack) => <StackView repository={repository} stack={stack} />}
    </Loaded>
  )
}

function StackView({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const key = `${stack.environment}/${stack.name}`
  return (
    <>
      <PageHead
        name={stack.name ? `${stack.environment}/${stack.name}` : stack.environment}
        title={
          <>
            <span className="text-muted">{stack.environment}/</span>
            {stack.name}
          </>
        }
        lead={
          <span className="flex flex-wrap items-center gap-x-3">
            <State look={stateLook(stack.state)} soft />
            {stack.stateReason && <span className="text-ink wrap-anywhere">{stack.stateReason}</span>}
            <span>
              {t.driverIn(stack.driver)}
              <code>{stack.path}</code>
            </span>
          </span>
        }
      >
        <StackActs repository={repository} stack={stack} />
      </PageHead>
      <EnvironmentNotices key={stack.id} repository={repository} environments={[stack.environment]} />
      <div className="flex flex-col gap-3">
        {stack.brokenBy && (
          <p role="alert" className="rounded border border-bad/40 bg-bad-soft px-3 py-2">
            <span className="font-medium">{t.aDeploymentLeftItHalf2}</span>
            {t.itIsNotHealedUntil}
            <Link
              to="/r/$repository/runs/$run"
              params={{ repository, run: stack.brokenBy }}
              className="text-accent underline"
            >
              {t.theRunThatDidIt}
            </Link>
          </p>
        )}
        <Quarantined repository={repository} entries={stack.quarantine} inTheWay={stack.quarantined?.id} />
        {stack.proposals.length > 0 && (
          <p className="rounded border border-line bg-panel px-3 py-2">
            {t.trueupProposes}
            {stack.proposals.map(({ mr, title }) => (
              <Link
                key={mr}
                to="/r/$repository/mr/$number"
                params={{ repository, number: String(mr) }}
                className="mr-3 text-accent hover:underline"
              >
                !{mr} {title}
              </Link>
            ))}
          </p>
        )}
        <ThreeFacts stack={stack} />
        <StackDrift repository={repository} stack={stack} />
        <div className="grid grid-cols-[minmax(0,1fr)_320px] items-start gap-3 max-lg:grid-cols-1">
          <div className="flex min-w-0 flex-col gap-3">
            <History repository={repository} stack={stack} />
            <Resources repository={repository} stack={stack} />
          </div>
          <div className="flex flex-col gap-3">
            <Needs repository={repository} stack={stack} />
            <Facets repository={repository} words={[...stack.facets, ...stack.tools]} />
            <Outputs outputs={stack.outputs} />
            <Allowances of={stack.allows} />
            <States repository={repository} stack={key} />
            <Places repository={repository} stack={key} />
            <CommandLine line={`trueup stack show ${key} --repo ${repository}`} />
          </div>
        </div>
      </div>
    </>
  )
}

/** What its definition allows that is refused elsewhere: whoever reads its plans should know. */
function Allowances({ of: { showSecretDiff, takeOver } }: { of: Schemas['StackDetail']['allows'] }) {
  if (!showSecretDiff && takeOver.length === 0) return null
  return (
    <Panel title={t.allows}>
      {showSecretDiff && <p>{t.showsLinesAroundSecrets}</p>}
      {takeOver.length > 0 && (
        <>
          <p>{t.mayTakeOver}</p>
          <ul className="list-disc pl-5">
            {takeOver.map((address) => (
              <li key={address}>
                <code className="wrap-anywhere">{address}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  )
}

/** Desired, deployed and observed are three facts, never one. */
function ThreeFacts({ stack }: { stack: Schemas['StackDetail'] }) {
  const now = useNow()
  const stale = stack.drift.nextCheckAt !== null && stack.drift.nextCheckAt + GRACE_MS < now
  const { checked, unchecked, at } = stack.observed
  return (
    <div className="grid grid-cols-3 gap-px overflow-hidden rounded-lg border border-line bg-line max-md:grid-cols-1">
      <Fact title={t.desired} says={t.whatGitSays}>
        <Hash value={stack.desired.commit} />
      </Fact>
      <Fact title={t.deployed} says={deployedAgainstGit(stack)}>
        <Hash value={stack.deployed.commit} />{' '}
        <span className="text-muted">
          <Time at={stack.deployed.at} />
        </span>
      </Fact>
      <Fact
        title={t.observed}
        says={
          stale
            ? t.staleTheCheckIsOverdue
            : stack.drift.open > 0
              ? t.openDiffer(stack.drift.open)
              : at === null
                ? t.notLookedAtYet
                : t.asDeployed
        }
      >
        <span>
          {t.lookedAt(checked ?? 0)}
          {unchecked.length > 0 && <span className="text-warn">{t.countNot(unchecked.length)}</span>}
        </span>{' '}
        <span className="text-muted">
          <Time at={at} />
        </span>
        {unchecked.length > 0 && (
          <details className="mt-1">
            <summary className="text-sm text-warn">{t.notCheckedAndWhy}</summary>
            <ul className="mt-1">
              {unchecked.map(({ address, why }) => (
                <li key={address} className="text-sm wrap-anywhere">
                  <code>{address}</code> <span className="text-muted">{why}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </Fact>
    </div>
  )
}

/** The commits may differ where nothing of this stack did: then its state knows that it is not behind. */
function deployedAgainstGit({ deployed, desired, state }: Schemas['StackDetail']): string {
  if (deployed.commit === null) return t.nothingYet
  return deployed.commit === desired.commit || state === 'in_sync' ? t.theSame : t.anotherCommitThanGitSays
}

function Fact({ title, says, children }: { title: string; says: string; children: ReactNode }) {
  return (
    <section className="bg-panel px-3 py-2">
      <h2 className="text-sm text-muted">
        {title} <span className="text-faint">· {says}</span>
      </h2>
      <div className="pt-0.5">{children}</div>
    </section>
  )
}

function Needs({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  if (stack.needs.length === 0) return null
  return (
    <Panel title={t.needs} flush>
      <ul className="divide-y divide-line">
        {stack.needs.map((name) => {
          const key = name.startsWith(`${stack.environment}/`) ? name : `${stack.environment}/${name}`
          return (
            <li key={name}>
              <Link
                to="/r/$repository/stacks/$"
                params={{ repository, _splat: key }}
                className="block px-3 py-1.5 hover:bg-hover"
              >
                {key}
              </Link>
            </li>
          )
        })}
      </ul>
    </Panel>
  )
}

const MOST_PLACES = 5

/** What it manages alone; all of them stand on a page of their own. */
function Places({ repository, stack }: { repository: string; stack: string }) {
  const found = useInfiniteQuery(placesQuery(repository, { stack })).data?.pages[0]
  if (!found || found.items.length === 0) return null
  const more = found.items.length > MOST_PLACES || found.next !== null
  return (
    <Panel
      title={t.places}
      flush
      aside={
        <Link to="/r/$repository/places" params={{ repository }} className="text-sm text-accent hover:underline">
          {more ? t.allOfThem : t.ofAllStacks}
        </Link>
      }
    >
      <ul className="divide-y divide-line">
        {found.items.slice(0, MOST_PLACES).map(({ address }) => (
          <li key={address} className="px-3 py-1.5">
            <code className="wrap-anywhere">{address}</code>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Outputs({ outputs }: { outputs: Schemas['StackDetail']['outputs'] }) {
  const names = Object.keys(outputs)
  if (names.length === 0) return null
  return (
    <Panel title={t.outputs} flush>
      <dl className="divide-y divide-line">
        {names.map((name) => {
          const { value, sensitive } = outputs[name]!
          return (
            <div key={name} className="px-3 py-1.5">
              <dt className="text-sm text-muted">{name}</dt>
              <dd>
                <code className="wrap-anywhere">
                  {sensitive ? t.sensitive : (valueText(value, false) ?? 'nothing')}
                </code>
              </dd>
            </div>
          )
        })}
      </dl>
    </Panel>
  )
}
