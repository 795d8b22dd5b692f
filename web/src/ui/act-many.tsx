import { useState } from 'react'
import { ApiError } from '../api/client.ts'
import { t } from '../strings/parts.ts'
import { Button } from './basics.tsx'
import { Dialog } from './dialog.tsx'
import { notify } from './notice.tsx'

const MOST = 50
const ORDERED = 'ordered'

export interface Item {
  id: string
  name: string
  /** Why it cannot be done to this one; null where it can. */
  whyNot: string | null
}

/** One act on many: says of each whether it can be done, and why not, before it is confirmed, and what became of it. */
export function ActMany({
  label,
  title,
  count,
  whyNot,
  children,
}: {
  label: string
  title: string
  count: number
  whyNot: string | null
  /** What is in the window while it is open. */
  children: (close: () => void) => React.ReactNode
}) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button whyNot={whyNot} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={`${title} (${count})`}>
        {open && children(() => setOpen(false))}
      </Dialog>
    </>
  )
}

export function ConfirmMany({
  verb,
  can,
  items: all,
  act,
  close,
}: {
  verb: string
  /** Said of what it can be done to, such as "can be healed". */
  can: string
  items: readonly Item[]
  act: (id: string) => Promise<unknown>
  close: () => void
}) {
  const [said, setSaid] = useState<ReadonlyMap<string, string>>(new Map())
  const [working, setWorking] = useState(false)
  const items = all.slice(0, MOST)
  const possible = items.filter(({ id, whyNot }) => whyNot === null && said.get(id) !== ORDERED)
  const actOnAll = async (): Promise<void> => {
    setWorking(true)
    const answers = new Map(said)
    let refused = 0
    for (const { id } of possible) {
      const answer = await act(id).then(
        () => ORDERED,
        (error: unknown) => (error instanceof ApiError ? error.body.why : String(error)),
      )
      if (answer !== ORDERED) refused++
      answers.set(id, answer)
      setSaid(new Map(answers))
    }
    setWorking(false)
    notify(t.countOrderedWords(possible.length - refused, refused > 0 ? t.refusedRefused(refused) : ''))
    if (refused === 0) close()
  }
  return (
    <div className="flex flex-col gap-3">
      <ul className="divide-y divide-line rounded border border-line">
        {items.map(({ id, name, whyNot }) => (
          <li key={id} className="flex gap-3 px-3 py-1">
            <span className="wrap-anywhere">{name}</span>
            <span className={`ml-auto text-right wrap-anywhere ${whyNot ? 'text-muted' : 'text-ok'}`}>
              {said.get(id) ?? whyNot ?? can}
            </span>
          </li>
        ))}
      </ul>
      {all.length > MOST && <p className="text-muted">{t.moreAreLeftForA(all.length - MOST)}</p>}
      <div className="flex justify-end gap-2">
        <Button onClick={close}>{t.notNow}</Button>
        <Button variant="primary" disabled={working || possible.length === 0} onClick={() => void actOnAll()}>
          {verb} {possible.length}
        </Button>
      </div>
    </div>
  )
}
