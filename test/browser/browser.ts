import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

const root = join(import.meta.dirname, '..', '..')

/** The web application as a checkout's server would build it: at once when it is new enough. */
export function buildWeb(): void {
  const script = join(root, 'scripts', 'build-web.ts')
  const built = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', script], { encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`building the web application: ${built.stderr}`)
}

/** `path`: Debian's Chromium. Without a sandbox of its own, which root may not have; it opens our own pages only. */
export const startBrowser = (path: string): Promise<Browser> =>
  chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-dev-shm-usage'] })

/** Other processes plan and deploy meanwhile, on a machine that may do other things too. */
const PATIENCE_MS = 180_000

/** A window of a person, logged in by a one-time link. What its pages complain about ends up in `complaints`. */
export interface Window {
  context: BrowserContext
  page: Page
  /** Errors of scripts, refusals of the content policy, and requests to elsewhere. */
  complaints: string[]
}

/** Keeps what the browser says of parts of the page that moved by themselves, and which. */
const WATCH_SHIFTS = `globalThis.shifts = []
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput) shifts.push(value.toFixed(4) + ': ' + sources.map(({ node }) => (node?.parentElement ?? node)?.textContent?.slice(0, 60)).join(' | '))
}).observe({ type: 'layout-shift', buffered: true })`

/** What has moved by itself since it was asked last (or since the page was loaded). */
export const shiftsOf = (page: Page): Promise<string[]> => page.evaluate<string[]>('shifts.splice(0)')

export async function openWindow(
  browser: Browser,
  link: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Window> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`${error}`))
  page.on('console', (message) => {
    // A refused request is written there by the browser itself, and is what some tests are about.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  const own = new URL(link).origin
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(own) && !/^(data|blob):/.test(url)) complaints.push(`asked ${url}`)
  })
  await page.addInitScript(WATCH_SHIFTS)
  await page.goto(link)
  await page.getByRole('navigation', { name: 'Main' }).waitFor()
  return { context, page, complaints }
}
