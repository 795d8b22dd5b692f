import type { JSX } from 'react'
import type { Look, Shape, Tone } from '../text.ts'

const INK: Record<Tone, string> = {
  ok: 'text-ok',
  busy: 'text-busy',
  warn: 'text-warn',
  bad: 'text-bad',
  hold: 'text-hold',
  idle: 'text-idle',
}
const SOFT: Record<Tone, string> = {
  ok: 'bg-ok-soft',
  busy: 'bg-busy-soft',
  warn: 'bg-warn-soft',
  bad: 'bg-bad-soft',
  hold: 'bg-hold-soft',
  idle: 'bg-idle-soft',
}
export const toneInk = (tone: Tone): string => INK[tone]
export const toneSoft = (tone: Tone): string => SOFT[tone]

const line = {
  fill: 'none',
  stroke: 'currentColor',
  strokeWidth: 1.75,
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const
const cut = { ...line, stroke: 'var(--color-panel)' }

const SHAPES: Record<Shape, JSX.Element> = {
  check: (
    <>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" />
      <path d="M5 8.2 7.2 10.4 11 6" {...cut} />
    </>
  ),
  half: (
    <>
      <circle cx="8" cy="8" r="5.75" {...line} />
      <path d="M8 2.2a5.8 5.8 0 0 0 0 11.6z" fill="currentColor" />
    </>
  ),
  dot: (
    <>
      <circle cx="8" cy="8" r="5.75" {...line} />
      <circle cx="8" cy="8" r="2.2" fill="currentColor" />
    </>
  ),
  turning: (
    <>
      <circle cx="8" cy="8" r="5.75" {...line} opacity="0.3" />
      <path d="M8 2.25A5.75 5.75 0 0 1 13.75 8" {...line} />
    </>
  ),
  triangle: (
    <>
      <path d="M8 1.8 14.6 13.4H1.4z" fill="currentColor" stroke="currentColor" strokeLinejoin="round" />
      <path d="M8 6v3.4M8 11.4v.1" {...cut} />
    </>
  ),
  cross: (
    <>
      <path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2z" fill="currentColor" />
      <path d="m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6" {...cut} />
    </>
  ),
  diamond: (
    <>
      <path d="M8 1.2 14.8 8 8 14.8 1.2 8z" fill="currentColor" />
      <path d="M8 5v3.4M8 10.8v.1" {...cut} />
    </>
  ),
  bar: (
    <>
      <circle cx="8" cy="8" r="5.75" {...line} />
      <path d="m4.2 11.8 7.6-7.6" {...line} />
    </>
  ),
  hexagon: (
    <>
      <path d="M8 1.4 13.8 4.7v6.6L8 14.6l-5.8-3.3V4.7z" {...line} />
      <path d="M6.2 5.8v4.4M9.8 5.8v4.4" {...line} />
    </>
  ),
  broken: <circle cx="8" cy="8" r="5.75" {...line} strokeDasharray="6.5 2.6" />,
  dotted: <circle cx="8" cy="8" r="5.75" {...line} strokeDasharray="0.1 3.5" />,
  question: (
    <>
      <circle cx="8" cy="8" r="5.75" {...line} />
      <path d="M6.1 6.4a1.9 1.9 0 1 1 2.7 1.7c-.5.3-.8.6-.8 1.2M8 11.4v.1" {...line} strokeWidth={1.5} />
    </>
  ),
  square: <rect x="2.8" y="2.8" width="10.4" height="10.4" rx="2" {...line} />,
}

/** The shape alone; beside it stands the word, or `label` names it for those who do not see it. */
export function Mark({ look, label = false, size = 14 }: { look: Look; label?: boolean; size?: number }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      className={`inline-block shrink-0 ${INK[look.tone]} ${look.shape === 'turning' ? 'animate-turn' : ''}`}
      {...(label ? { role: 'img', 'aria-label': look.label } : { 'aria-hidden': true })}
    >
      {SHAPES[look.shape]}
    </svg>
  )
}

/** Shape and word. */
export function State({ look, soft = false, title }: { look: Look; soft?: boolean; title?: string | null }) {
  const around = soft ? `rounded-sm px-1.5 py-px ${SOFT[look.tone]}` : ''
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${around}`} title={title ?? look.meaning}>
      <Mark look={look} />
      <span className={`font-medium ${INK[look.tone]}`}>{look.label}</span>
    </span>
  )
}
