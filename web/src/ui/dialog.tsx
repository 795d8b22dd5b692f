import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { t } from '../strings/parts.ts'

/** A window over the page: keeps the focus, ends with Escape, gives the focus back. */
export function Dialog({
  open,
  onOpenChange,
  title,
  lead,
  children,
  wide = false,
}: {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: string
  lead?: ReactNode
  children: ReactNode
  wide?: boolean
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Radix.Content
          aria-describedby={undefined}
          className={`fixed left-1/2 top-[12vh] z-50 flex max-h-[80vh] w-[calc(100vw-24px)] -translate-x-1/2 flex-col overflow-hidden rounded-lg border border-line bg-raised shadow-float ${wide ? 'max-w-[760px]' : 'max-w-[520px]'}`}
        >
          <div className="flex items-start gap-2 border-b border-line px-4 py-2.5">
            <div>
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {lead && <p className="text-muted">{lead}</p>}
            </div>
            <Radix.Close aria-label={t.close} className="ml-auto rounded-sm p-1 text-muted hover:bg-hover">
              <X size={16} />
            </Radix.Close>
          </div>
          <div className="overflow-y-auto p-4">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
