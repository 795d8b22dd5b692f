import { type FSWatcher, realpathSync, watch as watchDirectory } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Watch } from '../../driver.ts'

type OnEvent = (addresses: string[]) => void

/**
 * Watches a target that is a symbolic link: where it leads, and the link itself, which a release tool points elsewhere.
 * `open` watches a real directory and reports paths below it; `onEvent` gets them below the link.
 */
export function watchLink(link: string, open: (real: string, onEvent: OnEvent) => Watch, onEvent: OnEvent): Watch {
  let real = resolved(link)
  let inner = follow()
  let closed = false
  const outer = watchAbove(link, () => {
    const now = resolved(link)
    if (closed || now === real) return
    real = now
    void inner.close()
    inner = follow()
    onEvent([link])
  })
  return {
    get findings() {
      return inner.findings ?? []
    },
    async close() {
      closed = true
      outer?.close()
      await inner.close()
    },
  }

  function follow(): Watch {
    const root = real
    return open(root, (addresses) => onEvent(addresses.map((address) => below(root, address))))
  }

  /** What lies above the directory (it went, or came back) says that the target is to be looked at. */
  function below(root: string, address: string): string {
    return address.startsWith(`${root}/`) ? link + address.slice(root.length) : link
  }
}

/** Null where the kernel gives no watch: the link is then looked at with the next check only. */
function watchAbove(link: string, onChange: () => void): FSWatcher | null {
  try {
    const watcher = watchDirectory(dirname(link), { persistent: false })
    watcher.on('change', (_type, name) => name === basename(link) && onChange())
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return null
  }
}

/** The link itself where it leads nowhere: its coming back is then what is waited for. */
function resolved(link: string): string {
  try {
    return realpathSync(link)
  } catch {
    return link
  }
}
