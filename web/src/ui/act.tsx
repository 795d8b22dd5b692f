import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { ApiError } from '../api/client.ts'
import { t } from '../strings/parts.ts'
import { Button, CommandLine, Field, type ButtonProps } from './basics.tsx'
import { Dialog } from './dialog.tsx'
import { ErrorNote } from './load.tsx'
import { notify } from './notice.tsx'
import { Prove } from './prove.tsx'

/**
 * One act on the server: button, a window that says what it does and asks for a reason where it needs one, the command
 * that does the same, and the refusal in the server's words.
 */
export function Act({
  label,
  title,
  lead,
  command,
  run,
  done,
  reason,
  variant,
  whyNot,
  icon,
  children,
  ready = true,
  wide,
}: {
  label: string
  title: string
  lead?: ReactNode
  /** The same act as a command, shown to copy. */
  command?: string
  run: (reason: string) => Promise<unknown>
  /** Said when it is done. */
  done: string
  /** A question for a free text; empty answers are refused unless `optional`. */
  reason?: { label: string; optional?: boolean }
  variant?: ButtonProps['variant']
  whyNot?: string | null
  icon?: ReactNode
  children?: ReactNode
  /** False while what the window asks for is not complete. */
  ready?: boolean
  wide?: boolean
}) {
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const client = useQueryClient()
  const act = useMutation({
    mutationFn: () => run(text.trim()),
    onSuccess: () => {
      setOpen(false)
      setText('')
      notify(done)
      void client.invalidateQueries()
    },
  })
  const lacking = reason !== undefined && !reason.optional && text.trim() === ''
  return (
    <>
      <Button
        variant={variant}
        whyNot={whyNot}
        aria-haspopup="dialog"
        data-act={title.startsWith(label) ? title : `${label}: ${title}`}
        data-command={command}
        onClick={() => (act.reset(), setOpen(true))}
      >
        {icon}
        {label}
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={title} lead={lead} wide={wide}>
        <form
          className="flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault()
            act.mutate()
          }}
        >
          {children}
          {reason && (
            <Field label={reason.label}>
              <textarea rows={3} value={text} onChange={(event) => setText(event.target.value)} maxLength={2000} />
            </Field>
          )}
          {act.error && <ErrorNote error={act.error} />}
          {act.error instanceof ApiError && act.error.body.code === 'STEP_UP_REQUIRED' && (
            <Prove then={() => act.mutate()} />
          )}
          {command && (
            <p className="text-sm text-muted">
              {t.inATerminal}
              <CommandLine line={command} />
            </p>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setOpen(false)}>{t.notNow}</Button>
            <Button
              type="submit"
              variant={variant === 'danger' ? 'danger' : 'primary'}
              disabled={lacking || !ready || act.isPending}
            >
              {act.isPending ? t.working : label}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  )
}
