import type { Browser, BrowserContext } from 'playwright-core'
import type { Contestant } from '../harness.ts'

const THROTTLE = 4
/** A throttled page on a busy machine. */
export const PATIENCE_MS = 180_000
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

export async function open(browser: Browser, cookies: Cookies) {
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
