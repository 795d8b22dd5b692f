import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, ask } from '../api/client.ts'
import { matrixQuery } from '../api/queries.ts'
import { useInfiniteQuery } from '@tanstack/react-query'
import { t } from '../strings/frame.ts'
import { CommandLine } from '../ui/basics.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { GOES } from './keys.ts'
import { useMay } from './session.tsx'
import { setTheme } from './theme.ts'

interface Entry {
  id: string
  label: string
  hint: string
  /** The same as a command, shown to copy. */
  command?: string | undefined
  act: () => void
}

/** Everything by name: pages, stacks, merge requests, and acts with the command that does the same. */
export function Palette({
  open,
  onOpenChange,
  onHelp,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  onHelp: () => void
}) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t.goToDo} wide>
      <Finder close={() => onOpenChange(false)} onHelp={onHelp} />
    </Dialog>
  )
}

function Finder({ close, onHelp }: { close: () => void; onHelp: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const entries = useEntries(text, onHelp)
  const chosen = entries[Math.min(at, entries.length - 1)]
  const act = (entry: Entry | undefined): void => {
    close()
    entry?.act()
  }
  return (
    <div className="flex flex-col gap-2">
      <input
        autoFocus
        type="search"
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={chosen && `palette-${chosen.id}`}
        aria-label={t.nameOfAPageA}
        placeholder={t.aPageAStackOr}
        value={text}
        onChange={(event) => (setText(event.target.value), setAt(0))}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(at + 1, entries.length - 1))
          else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
          else if (event.key === 'Enter') act(chosen)
          else return
          event.preventDefault()
        }}
      />
      <div id="palette-list" role="listbox" aria-label={t.found} className="flex max-h-[46vh] flex-col overflow-y-auto">
        {entries.map((entry) => (
          <div
            key={entry.id}
            id={`palette-${entry.id}`}
            role="option"
            aria-selected={entry === chosen}
            onClick={() => act(entry)}
            className={`flex cursor-pointer items-center gap-3 rounded px-2 py-1 ${entry === chosen ? 'bg-hover' : ''}`}
          >
            <span className="wrap-anywhere">{entry.label}</span>
            <span className="ml-auto shrink-0 text-sm text-muted">{entry.hint}</span>
          </div>
        ))}
        {entries.length === 0 && <p className="px-2 py-3 text-muted">{t.nothingHasThatName}</p>}
      </div>
      {chosen?.command && (
        <p className="border-t border-line pt-2 text-sm text-muted">
          {t.inATerminal}
          <CommandLine line={chosen.command} />
        </p>
      )}
    </div>
  )
}

/** Every act that the page offers now: the same buttons, by name. */
const actsOfPage = (): Entry[] =>
  [...document.querySelectorAll<HTMLButtonElement>('main button[data-act]:enabled')].map((button, at) => ({
    id: `act-${at}`,
    label: button.dataset['act']!,
    hint: 'act',
    command: button.dataset['command'],
    act: () => button.click(),
  }))

function useEntries(text: string, onHelp: () => void): Entry[] {
  const navigate = useNavigate()
  const { repository } = useParams({ strict: false })
  const [acts] = useState(actsOfPage)
  const may = useMay()
  const words = text.trim()
  const stacks = useInfiniteQuery({
    // The server looks for names within an environment; the one before the first slash may be the environment's.
    ...matrixQuery(repository ?? '', { q: words.replace(/^[^/\s]*\//, ''), sort: 'need' }),
    enabled: repository !== undefined && words.length > 1,
  })
  const mrs = useQuery({
    queryKey: ['mrs', repository, 'palette'],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/merge-requests', {
          params: { path: { repository: repository! }, query: { state: 'open', limit: 50 } },
        }),
      ),
    enabled: repository !== undefined,
  })
  return useMemo(() => {
    const go = (to: string, params: object = { repository }): void => void navigate({ to, params } as never)
    const repo = repository ? ` --repo ${repository}` : ''
    const found: Entry[] = [
      ...acts,
      ...GOES.filter(([, to]) => (repository || !to.includes('$')) && (to !== '/audit' || may('audit.read'))).map(
        ([key, to, label]) => ({
          id: `go-${key}`,
          label,
          hint: `g ${key}`,
          act: () => go(to),
        }),
      ),
      ...(mrs.data?.items ?? []).map((mr) => ({
        id: `mr-${mr.number}`,
        label: `!${mr.number} ${mr.title}`,
        hint: t.mergeRequest,
        command: `trueup mr show ${mr.number}${repo}`,
        act: () => go('/r/$repository/mr/$number', { repository, number: String(mr.number) }),
      })),
      ...(stacks.data?.pages ?? [])
        .flatMap(({ items }) => items.slice(0, 30))
        .flatMap(({ name, cells }) =>
          cells.map(({ environment, id }) => ({
            id,
            label: `${environment}/${name}`,
            hint: 'stack',
            command: `trueup stack show ${environment}/${name}${repo}`,
            act: () => go('/r/$repository/stacks/$', { repository, _splat: `${environment}/${name}` }),
          })),
        ),
      { id: 'dark', label: t.darkColours, hint: 'act', act: () => setTheme('dark') },
      { id: 'light', label: t.lightColours, hint: 'act', act: () => setTheme('light') },
      { id: 'keys', label: t.showTheKeys, hint: '?', act: onHelp },
    ]
    const wanted = words.toLowerCase().split(/\s+/)
    return found.filter(({ label }) => wanted.every((word) => label.toLowerCase().includes(word))).slice(0, 60)
  }, [words, repository, acts, stacks.data, mrs.data, navigate, onHelp, may])
}
