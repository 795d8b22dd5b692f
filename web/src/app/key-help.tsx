import { Dialog } from '../ui/dialog.tsx'
import { GOES } from './keys.ts'

const KEYS: readonly (readonly [string, string])[] = [
  ['Ctrl K', 'Go to anything, do anything'],
  ['/', 'Search in the list'],
  ['j k', 'Next and previous row'],
  ['Enter', 'Open the row'],
  ['f', 'Next failure'],
  ['Esc', 'Close the window'],
  ['?', 'This help'],
  ...GOES.map(([key, , label]) => [`g ${key}`, label] as const),
]

export function KeyHelp({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keys">
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
