import { Link, type LinkProps } from '@tanstack/react-router'
import { Check, Copy } from 'lucide-react'
import { useState, type ButtonHTMLAttributes, type ComponentProps, type ReactNode } from 'react'
import { t } from '../strings/parts.ts'

type Variant = 'plain' | 'primary' | 'danger' | 'quiet'
const VARIANT: Record<Variant, string> = {
  plain: 'border border-strong-line bg-panel hover:bg-hover text-ink',
  primary: 'border border-transparent bg-accent text-on-accent hover:opacity-90',
  danger: 'border border-bad bg-panel text-bad hover:bg-bad-soft',
  quiet: 'border border-transparent text-muted hover:bg-hover hover:text-ink',
}
const SHAPE =
  'inline-flex items-center justify-center gap-1.5 rounded px-2.5 h-7 text-base font-medium whitespace-nowrap select-none disabled:opacity-50 pointer-coarse:h-9'

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant
  /** Why it cannot be pressed: shown on hover, read aloud, and the button is disabled. */
  whyNot?: string | null
}

export function Button({ variant = 'plain', whyNot, className = '', ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || !!whyNot}
      title={whyNot ?? rest.title}
      {...(whyNot && { 'aria-description': whyNot })}
      className={`${SHAPE} ${VARIANT[variant]} ${className}`}
    />
  )
}

export function ButtonLink({
  variant = 'plain',
  children,
  ...link
}: LinkProps & { variant?: Variant; children: ReactNode }) {
  return (
    <Link {...(link as LinkProps)} className={`${SHAPE} ${VARIANT[variant]}`}>
      {children}
    </Link>
  )
}

export const linkStyle = 'text-accent hover:underline'

export function Panel({
  title,
  aside,
  children,
  flush = false,
  id,
}: {
  title?: ReactNode
  aside?: ReactNode
  children: ReactNode
  /** No padding: a table or a list brings its own. */
  flush?: boolean
  id?: string
}) {
  return (
    <section id={id} className="overflow-hidden rounded-lg border border-line bg-panel">
      {title !== undefined && (
        <header className="flex min-h-9 items-center gap-2 border-b border-line px-3 py-1">
          <h2 className="font-semibold">{title}</h2>
          <div className="ml-auto flex items-center gap-2">{aside}</div>
        </header>
      )}
      <div className={flush ? '' : 'p-3'}>{children}</div>
    </section>
  )
}

/** `name`: the title as the browser's tab and a screen reader say it, where it is more than text. */
export function PageHead({
  title,
  name = typeof title === 'string' ? title : undefined,
  lead,
  children,
}: {
  title: ReactNode
  name?: string
  lead?: ReactNode
  children?: ReactNode
}) {
  return (
    <header className="flex flex-wrap items-start gap-x-4 gap-y-2 pb-3">
      <title>{name ? t.nameTrueup(name) : t.trueup}</title>
      <div className="min-w-0">
        <h1 className="text-xl font-semibold tracking-tight wrap-anywhere">{title}</h1>
        {lead && <p className="text-muted">{lead}</p>}
      </div>
      <div className="ml-auto flex flex-wrap items-center gap-2">{children}</div>
    </header>
  )
}

/** Nothing is there: says so, and what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-1 px-6 py-10 text-center">
      <p className="font-semibold">{title}</p>
      <div className="max-w-prose text-muted">{children}</div>
    </div>
  )
}

export function Hash({ value, length = 10 }: { value: string | null | undefined; length?: number }) {
  if (!value) return <span className="text-faint">{t.none}</span>
  return (
    <code title={value} className="text-muted">
      {value.slice(0, length)}
    </code>
  )
}

/** A line for the terminal, with a button that copies it. */
export function CommandLine({ line }: { line: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(line)
    setCopied(true)
    window.setTimeout(() => setCopied(false), 1500)
  }
  return (
    <span className="inline-flex max-w-full items-center gap-1 rounded border border-line bg-sunken py-0.5 pl-2 pr-0.5 text-left">
      <code tabIndex={0} className="overflow-x-auto whitespace-pre">
        {line}
      </code>
      <button
        type="button"
        onClick={() => void copy()}
        aria-label={t.copyLine(line)}
        className="rounded-sm p-1 text-muted hover:bg-hover hover:text-ink"
      >
        {copied ? <Check size={13} /> : <Copy size={13} />}
      </button>
    </span>
  )
}

export function Field({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <label className="flex flex-col gap-1">
      <span className="font-medium">{label}</span>
      {children}
      {hint && <span className="text-sm text-muted">{hint}</span>}
    </label>
  )
}

/** A field for one line of text; `set` hears of every change. */
export function TextField({
  label,
  hint,
  set,
  ...input
}: { label: string; hint?: ReactNode; set: (value: string) => void } & Omit<ComponentProps<'input'>, 'onChange'>) {
  return (
    <Field label={label} hint={hint}>
      <input {...input} onChange={(event) => set(event.target.value)} />
    </Field>
  )
}

/** Pairs of a word and a value. */
export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1">
      {rows.map(([word, value]) => (
        <div key={word} className="contents">
          <dt className="text-muted">{word}</dt>
          <dd className="wrap-anywhere">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
