import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Contestant } from '../harness.ts'

const THROTTLE = 4
const WHEELS = 30
/** A throttled page on a busy machine. */
const PATIENCE_MS = 180_000
export type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>

export async function logIn(browser: Browser, link: string): Promise<Cookies> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(link)
  await page.getByRole('navigation', { name: 'Main' }).waitFor()
  const cookies = await context.cookies()
  await context.close()
  return cookies
}

/** A page, and the first of its content that somebody has come for, as a selector. */
export interface Visit {
  name: string
  url: string
  shows: string
  cookies: Cookies
}

async function open(browser: Browser, cookies: Cookies) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } })
  await context.addCookies(cookies)
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Performance.enable')
  await session.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE })
  return { page, session, close: () => context.close() }
}

/** Opens it in a window without a cache until its content is there. CPU: what the main thread was busy, throttled. */
export function visitor(browser: Browser, { name, url, shows, cookies }: Visit): Contestant {
  return {
    name,
    argv: [],
    async measure() {
      const { page, session, close } = await open(browser, cookies)
      const began = performance.now()
      await page.goto(url, { waitUntil: 'commit' })
      await page.locator(shows).first().waitFor({ timeout: PATIENCE_MS })
      const wallSeconds = (performance.now() - began) / 1_000
      const { metrics } = await session.send('Performance.getMetrics')
      const cpuSeconds = metrics.find((metric) => metric.name === 'TaskDuration')!.value
      await close()
      return { exitCode: 0, stdout: 'shown', stderr: '', wallSeconds, cpuSeconds }
    },
    proof: async ({ stdout }) => stdout,
  }
}

/** Packed bytes of script until the content is there, nothing in the cache. */
export async function firstLoad(browser: Browser, { url, shows, cookies }: Visit): Promise<number> {
  const { page, close } = await open(browser, cookies)
  let bytes = 0
  page.on('response', (answer) => {
    if (answer.request().resourceType() === 'script') bytes += Number(answer.headers()['content-length'] ?? 0)
  })
  await page.goto(url)
  await page.locator(shows).first().waitFor({ timeout: PATIENCE_MS })
  await close()
  return bytes
}

/** Counts, from before the page's own script on, the longest time from a key to its paint and between two frames. */
const WATCH = `globalThis.longest = { key: 0, frame: 0 }
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longest.key = Math.max(longest.key, duration)
}).observe({ type: 'event', durationThreshold: 16, buffered: true })
let last
const frame = (now) => { if (last !== undefined) longest.frame = Math.max(longest.frame, now - last); last = now; requestAnimationFrame(frame) }
globalThis.watchFrames = () => { last = undefined; longest.frame = 0; requestAnimationFrame(frame) }`

/** What it is like to use: the longest wait of `act`, and of turning the wheel over `over`; milliseconds. */
export async function usePage(
  browser: Browser,
  { url, shows, cookies }: Visit,
  over: string,
  act?: (page: Page) => Promise<void>,
): Promise<{ keyMs: number; frameMs: number }> {
  const { page, close } = await open(browser, cookies)
  await page.addInitScript(WATCH)
  await page.goto(url)
  await page.locator(shows).first().waitFor({ timeout: PATIENCE_MS })
  await act?.(page)
  await page.locator(over).first().hover()
  await page.evaluate('watchFrames()')
  for (let turn = 0; turn < WHEELS; turn++) {
    await page.mouse.wheel(0, turn < WHEELS / 2 ? 900 : -900)
    await page.evaluate('new Promise(requestAnimationFrame)')
  }
  const { key, frame } = await page.evaluate<{ key: number; frame: number }>('longest')
  await close()
  return { keyMs: Math.round(key), frameMs: Math.round(frame) }
}
