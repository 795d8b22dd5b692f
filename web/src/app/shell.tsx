import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { useEffect, useState } from 'react'
import { followChanges } from '../api/live.ts'
import { t } from '../strings/frame.ts'
import { Notices } from '../ui/notice.tsx'
import { AccountMenu } from './account-menu.tsx'
import { Damage } from './damage.tsx'
import { KeyHelp } from './key-help.tsx'
import { useKeys } from './keys.ts'
import { Level, LiveSign, PhoneBar, RepositorySwitch, SideBar } from './navigation.tsx'
import { Palette } from './palette.tsx'

/** Frame of every page: where one is, what there is, whether it is live. */
export function Shell() {
  const client = useQueryClient()
  const [palette, setPalette] = useState(false)
  const [help, setHelp] = useState(false)
  useEffect(() => followChanges(client), [client])
  useKeys({ palette: () => setPalette(true), help: () => setHelp(true) })
  return (
    <div className="grid h-full grid-cols-[200px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] max-md:grid-cols-1 max-md:grid-rows-[auto_minmax(0,1fr)_auto]">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:bg-panel focus:p-2"
      >
        {t.skipToThePage}
      </a>
      <SideBar onPalette={() => setPalette(true)} onHelp={() => setHelp(true)} />
      <header className="flex items-center gap-1 border-b border-line bg-sunken px-2 py-1 md:hidden">
        <Link to="/" aria-label={t.trueup} className="p-2">
          <Level />
        </Link>
        <RepositorySwitch />
        <span className="ml-auto">
          <LiveSign />
        </span>
        <button
          type="button"
          aria-label={t.goToDo}
          onClick={() => setPalette(true)}
          className="flex size-9 items-center justify-center rounded text-muted hover:bg-hover"
        >
          <Search size={18} aria-hidden />
        </button>
        <AccountMenu onHelp={() => setHelp(true)} />
      </header>
      <main id="main" tabIndex={-1} className="overflow-y-auto px-5 py-4 outline-none max-md:px-3">
        <div className="mx-auto max-w-[1440px]">
          <Damage />
          <Outlet />
        </div>
      </main>
      <PhoneBar />
      <Palette open={palette} onOpenChange={setPalette} onHelp={() => setHelp(true)} />
      <KeyHelp open={help} onOpenChange={setHelp} />
      <Notices />
    </div>
  )
}
