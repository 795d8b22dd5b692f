import { useQueries } from '@tanstack/react-query'
import { api, ask, type Schemas } from '../api/client.ts'
import { stackQuery } from '../api/queries.ts'
import { useWhyNot } from '../app/session.tsx'
import { t } from '../strings/drift.ts'
import { ActMany, ConfirmMany } from '../ui/act-many.tsx'

/** Heals the stacks of a group. */
export function HealMany({ repository, stacks }: { repository: string; stacks: readonly string[] }) {
  const whyNot = useWhyNot(repository)('drift.heal')
  return (
    <ActMany
      label={stacks.length > 1 ? t.healAll(stacks.length) : t.heal}
      title={t.healStacks}
      count={stacks.length}
      whyNot={whyNot}
    >
      {(close) => <Confirm repository={repository} stacks={stacks} close={close} />}
    </ActMany>
  )
}

function Confirm({ repository, stacks, close }: { repository: string; stacks: readonly string[]; close: () => void }) {
  const known = useQueries({ queries: stacks.map((stack) => stackQuery(repository, stack)) })
  return (
    <ConfirmMany
      verb={t.heal}
      can={t.canBeHealed}
      items={stacks.map((stack, at) => ({ id: stack, name: stack, whyNot: whyNotHeal(known[at]?.data) }))}
      act={(stack) =>
        ask(
          api.POST('/api/v1/repositories/{repository}/drift/heals', {
            params: { path: { repository } },
            body: { stack },
          }),
        )
      }
      close={close}
    />
  )
}

function whyNotHeal(stack: Schemas['StackDetail'] | undefined): string | null {
  if (!stack) return t.beingLookedUp
  if (stack.brokenBy !== null) return t.aDeploymentLeftItHalf
  return stack.drift.open === 0 ? t.noDriftIsOpen : null
}
