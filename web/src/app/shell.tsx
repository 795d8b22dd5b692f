import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import { followChanges } from '../api/live.ts'
import { t } from '../strings/frame.ts'
import { Notices } from '../ui/notice.tsx'
import { AccountMenu } from './account-menu.tsx'
import { Damage } from './damage.tsx'
import { useKeys } from './keys.ts'
import { useNarrow } from './narrow.ts'
import { Level, LiveSign, PhoneBar, RepositorySwitch, SideBar } from './navigation.tsx'

// Windows that somebody opens: their code comes when they are about to.
const loadPalette = () => import('./palette.tsx')
const loadHelp = () => import('./key-help.tsx')
const fetchWindows = (): void => void Promise.all([loadPalette(), loadHelp()]).catch(() => undefined)
const Palette = lazy(() => loadPalette().then(({ Palette: its }) => ({ default: its })))
const KeyHelp = lazy(() => loadHelp().then(({ KeyHelp: its }) => ({ default: its })))

/** Frame of every page: where one is, what there is, whether it is live. */
export function Shell() {
  const client = useQueryClient()
  const [palette, setPalette] = useState(false)
  const [help, setHelp] = useState(false)
  const narrow = useNarrow()
  useEffect(() => followChanges(client), [client])
  const opens = useMemo<Opens>(() => ({ onPalette: () => setPalette(true), onHelp: () => setHelp(true) }), [])
  useEffect(() => {
    // The first key: of Ctrl and K that is Ctrl.
    window.addEventListener('keydown', fetchWindows, { once: true })
    return () => window.removeEventListener('keydown', fetchWindows)
  }, [])
  useKeys({ palette: opens.onPalette, help: opens.onHelp })
  return (
    <div className="grid h-full grid-cols-[200px_minmax(0,1fr)] grid-rows-[minmax(0,1fr)] max-md:grid-cols-1 max-md:grid-rows-[auto_minmax(0,1fr)_auto]">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:bg-panel focus:p-2"
      >
        {t.skipToThePage}
      </a>
      {narrow ? <PhoneHead {...opens} /> : <SideBar {...opens} fetchWindows={fetchWindows} />}
      <main id="main" tabIndex={-1} className="overflow-y-auto px-5 py-4 outline-none max-md:px-3">
        <div className="mx-auto max-w-[1440px]">
          <Damage />
          <Outlet />
        </div>
      </main>
      {narrow && <PhoneBar />}
      <Suspense>
        {palette && <Palette open onOpenChange={setPalette} onHelp={opens.onHelp} />}
        {help && <KeyHelp open onOpenChange={setHelp} />}
      </Suspense>
      <Notices />
    </div>
  )
}

interface Opens {
  onPalette: () => void
  onHelp: () => void
}

function PhoneHead({ onPalette, onHelp }: Opens) {
  return (
    <header className="flex items-center gap-1 border-b border-line bg-sunken px-2 py-1">
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
        onPointerEnter={fetchWindows}
        onClick={onPalette}
        className="flex size-9 items-center justify-center rounded text-muted hover:bg-hover"
      >
        <Search size={18} aria-hidden />
      </button>
      <AccountMenu onHelp={onHelp} />
    </header>
  )
}
