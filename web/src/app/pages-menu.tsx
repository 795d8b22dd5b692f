import { Link, type LinkProps } from '@tanstack/react-router'
import type { LucideIcon } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import type { ReactElement } from 'react'

/** Pages that have no place in a phone's bar; opened as it comes. */
export function PagesMenu({
  trigger,
  repository,
  pages,
}: {
  trigger: ReactElement
  repository: string
  pages: readonly (readonly [to: NonNullable<LinkProps['to']>, label: string, icon: LucideIcon])[]
}) {
  return (
    <DropdownMenu.Root defaultOpen modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          className="z-50 min-w-48 rounded-lg border border-line bg-raised p-1 shadow-float"
        >
          {pages.map(([to, label, Icon]) => (
            <DropdownMenu.Item key={to} asChild>
              <Link
                to={to}
                params={{ repository }}
                className="flex items-center gap-3 rounded-sm px-3 py-2 outline-none data-highlighted:bg-hover"
              >
                <Icon size={16} aria-hidden className="text-muted" />
                {label}
              </Link>
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
