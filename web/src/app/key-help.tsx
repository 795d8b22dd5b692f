import { t } from '../strings/frame.ts'
import { Dialog } from '../ui/dialog.tsx'
import { GOES } from './keys.ts'

const KEYS: readonly (readonly [string, string])[] = [
  [t.ctrlK, t.goToAnythingDoAnything],
  ['/', t.searchInTheList],
  ['j k', t.nextAndPreviousRow],
  ['Enter', t.openTheRow],
  ['f', t.nextFailure],
  [t.esc, t.closeTheWindow],
  ['?', t.thisHelp],
  ...GOES.map(([key, , label]) => [`g ${key}`, label] as const),
]

export function KeyHelp({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t.keys}>
      <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-1.5">
        {KEYS.map(([key, meaning]) => (
          <div key={key} className="contents">
            <dt className="flex gap-1">
              {key.split(' ').map((part) => (
                <kbd key={part} className="rounded-sm border border-line bg-sunken px-1.5">
                  {part}
                </kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
