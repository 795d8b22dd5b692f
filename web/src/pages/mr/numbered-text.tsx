import { useRef } from 'react'

const MOST_ROWS = 32

/** A text area with the numbers of its lines beside it; Tab leaves it, as it leaves every field. */
export function NumberedText({ label, value, set }: { label: string; value: string; set: (value: string) => void }) {
  const numbers = useRef<HTMLPreElement>(null)
  const lines = value.split('\n').length
  const rows = Math.min(Math.max(lines + 1, 4), MOST_ROWS)
  return (
    <div className="grid grid-cols-[max-content_minmax(0,1fr)] overflow-hidden rounded border border-strong-line bg-panel">
      <pre
        ref={numbers}
        aria-hidden
        className="overflow-hidden bg-sunken px-2 py-1.5 text-right font-mono text-sm text-muted select-none"
        style={{ height: `calc(${rows} * 18px + 12px)` }}
      >
        {Array.from({ length: lines }, (_, at) => at + 1).join('\n')}
      </pre>
      <textarea
        aria-label={label}
        value={value}
        wrap="off"
        rows={rows}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        onChange={(event) => set(event.target.value)}
        onScroll={(event) => {
          if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop
        }}
        className="resize-none border-0! px-2! py-1.5! font-mono text-sm"
        style={{ height: `calc(${rows} * 18px + 12px)` }}
      />
    </div>
  )
}
