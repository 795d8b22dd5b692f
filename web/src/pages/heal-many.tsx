import { useQueries } from '@tanstack/react-query'
import { useState } from 'react'
import { api, ApiError, ask } from '../api/client.ts'
import { stackQuery } from '../api/queries.ts'
import { useWhyNot } from '../app/session.tsx'
import { Button } from '../ui/basics.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { notify } from '../ui/notice.tsx'

const MOST = 50

/** Heals the stacks of a group: says of each whether it can be, and why not, before it is confirmed. */
export function HealMany({ repository, stacks }: { repository: string; stacks: readonly string[] }) {
  const [open, setOpen] = useState(false)
  const whyNot = useWhyNot(repository)('drift.heal')
  return (
    <>
      <Button whyNot={whyNot} onClick={() => setOpen(true)}>
        Heal {stacks.length > 1 ? `all ${stacks.length}` : ''}
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={`Heal ${stacks.length} ${stacks.length === 1 ? 'stack' : 'stacks'}`}
      >
        {open && (
          <Confirm
            repository={repository}
            stacks={stacks.slice(0, MOST)}
            left={Math.max(0, stacks.length - MOST)}
            close={() => setOpen(false)}
          />
        )}
      </Dialog>
    </>
  )
}

function Confirm({
  repository,
  stacks,
  left,
  close,
}: {
  repository: string
  stacks: readonly string[]
  left: number
  close: () => void
}) {
  const [said, setSaid] = useState<ReadonlyMap<string, string>>(new Map())
  const [working, setWorking] = useState(false)
  const known = useQueries({ queries: stacks.map((stack) => stackQuery(repository, stack)) })
  const reasons = new Map(
    stacks.map((stack, at) => {
      const detail = known[at]?.data
      const why = !detail
        ? 'being looked up'
        : detail.brokenBy !== null
          ? 'a deployment left it half-way: deploy or roll back first'
          : detail.drift.open === 0
            ? 'no drift is open'
            : null
      return [stack, why]
    }),
  )
  const possible = stacks.filter((stack) => reasons.get(stack) === null)
  const heal = async (): Promise<void> => {
    setWorking(true)
    const answers = new Map<string, string>()
    for (const stack of possible) {
      const answer = await ask(
        api.POST('/api/v1/repositories/{repository}/drift/heals', {
          params: { path: { repository } },
          body: { stack },
        }),
      ).then(
        () => 'ordered',
        (error: unknown) => (error instanceof ApiError ? error.body.why : String(error)),
      )
      answers.set(stack, answer)
      setSaid(new Map(answers))
    }
    setWorking(false)
    const refused = [...answers.values()].filter((answer) => answer !== 'ordered').length
    notify(`${answers.size - refused} heals ordered${refused > 0 ? `, ${refused} refused` : ''}`)
    if (refused === 0) close()
  }
  return (
    <div className="flex flex-col gap-3">
      <ul className="divide-y divide-line rounded border border-line">
        {stacks.map((stack) => (
          <li key={stack} className="flex gap-3 px-3 py-1">
            <span className="wrap-anywhere">{stack}</span>
            <span className={`ml-auto ${reasons.get(stack) ? 'text-muted' : 'text-ok'}`}>
              {said.get(stack) ?? reasons.get(stack) ?? 'can be healed'}
            </span>
          </li>
        ))}
      </ul>
      {left > 0 && <p className="text-muted">{left} more are left for a second time.</p>}
      <div className="flex justify-end gap-2">
        <Button onClick={close}>Not now</Button>
        <Button variant="primary" disabled={working || possible.length === 0} onClick={() => void heal()}>
          Heal {possible.length}
        </Button>
      </div>
    </div>
  )
}
