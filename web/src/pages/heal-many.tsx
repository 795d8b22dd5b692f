import { useQueries } from '@tanstack/react-query'
import { api, ask, type Schemas } from '../api/client.ts'
import { stackQuery } from '../api/queries.ts'
import { useWhyNot } from '../app/session.tsx'
import { ActMany, ConfirmMany } from '../ui/act-many.tsx'

/** Heals the stacks of a group. */
export function HealMany({ repository, stacks }: { repository: string; stacks: readonly string[] }) {
  const whyNot = useWhyNot(repository)('drift.heal')
  return (
    <ActMany
      label={stacks.length > 1 ? `Heal all ${stacks.length}` : 'Heal'}
      title="Heal stacks"
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
      verb="Heal"
      can="can be healed"
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
  if (!stack) return 'being looked up'
  if (stack.brokenBy !== null) return 'a deployment left it half-way: deploy or roll back first'
  return stack.drift.open === 0 ? 'no drift is open' : null
}
