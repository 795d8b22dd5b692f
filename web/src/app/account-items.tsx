import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { DropdownMenu } from 'radix-ui'
import { type ReactElement, useState } from 'react'
import { api, ask } from '../api/client.ts'
import { t } from '../strings/frame.ts'
import { setTheme, theme, type Theme } from './theme.ts'

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', t.followTheSystem],
  ['light', t.light],
  ['dark', t.dark],
]
const item = 'rounded-sm px-2 py-1 outline-none data-highlighted:bg-hover'

/** Colours, keys, and the way out; opened as it comes. */
export function AccountItems({ trigger, onHelp }: { trigger: ReactElement; onHelp: () => void }) {
  const [chosen, choose] = useState(theme())
  const client = useQueryClient()
  const navigate = useNavigate()
  const logOut = async (): Promise<void> => {
    await ask(api.DELETE('/api/v1/session'))
    client.clear()
    await navigate({ to: '/login' })
  }
  return (
    <DropdownMenu.Root defaultOpen modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="start"
          sideOffset={4}
          className="z-50 min-w-48 rounded-lg border border-line bg-raised p-1 shadow-float"
        >
          <DropdownMenu.Label className="px-2 py-1 text-sm text-muted">{t.colours}</DropdownMenu.Label>
          <DropdownMenu.RadioGroup
            value={chosen}
            onValueChange={(value) => {
              setTheme(value as Theme)
              choose(value as Theme)
            }}
          >
            {THEMES.map(([value, label]) => (
              <DropdownMenu.RadioItem key={value} value={value} className={`${item} flex items-center`}>
                {label}
                <DropdownMenu.ItemIndicator className="ml-auto">✓</DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator className="my-1 border-t border-line" />
          <DropdownMenu.Item className={item} onSelect={onHelp}>
            {t.keys}
          </DropdownMenu.Item>
          <DropdownMenu.Item className={item} onSelect={() => void logOut()}>
            {t.logOut}
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
