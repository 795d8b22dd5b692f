import { CircleUser } from 'lucide-react'
import { lazy } from 'react'
import { t } from '../strings/frame.ts'
import { LazyMenu } from '../ui/lazy-menu.tsx'
import { useSession } from './session.tsx'

const load = () => import('./account-items.tsx')
const AccountItems = lazy(() => load().then(({ AccountItems: its }) => ({ default: its })))

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const { user } = useSession()
  return (
    <LazyMenu
      load={load}
      className="flex items-center gap-2 rounded px-2 py-1 text-left hover:bg-hover"
      menu={(trigger) => <AccountItems trigger={trigger} onHelp={onHelp} />}
    >
      <CircleUser size={15} aria-hidden className="text-muted" />
      <span className="truncate font-medium max-md:max-w-20">{user.name}</span>
      {user.kind === 'admin' && <span className="ml-auto text-xs text-muted max-md:hidden">{t.administrator}</span>}
    </LazyMenu>
  )
}
