import type { Browser, BrowserContext, CDPSession } from 'playwright-core'
import type { Contestant } from '../harness.ts'

export const THROTTLE = 4
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

/** `throttle`: by how much the main thread is slowed down. */
export async function open(browser: Browser, cookies: Cookies, throttle = THROTTLE) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } })
  await context.addCookies(cookies)
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  // What the thread computes, not how long it takes where it has to wait for a processor.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  await session.send('Emulation.setCPUThrottlingRate', { rate: throttle })
  return { page, session, close: () => context.close() }
}

/**
 * What the page's main thread has computed so far. Of a page that is not throttled: slowing down is done by spinning, which
 * counts as well, and more of it the busier the machine is.
 */
export async function taskSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration')!.value
}

/**
 * Opens it in a window without a cache until its content is there, twice: throttled for the time, and as it is for what the
 * main thread computes.
 */
export function visitor(browser: Browser, { name, url, shows, cookies }: Visit): Contestant {
  return {
    name,
    argv: [],
    async measure() {
      const visit = async (throttle: number) => {
        const { page, session, close } = await open(browser, cookies, throttle)
        const began = performance.now()
        await page.goto(url, { waitUntil: 'commit' })
        await page.locator(shows).first().waitFor({ timeout: PATIENCE_MS })
        const seconds = { wall: (performance.now() - began) / 1_000, cpu: await taskSeconds(session) }
        await close()
        return seconds
      }
      const { wall: wallSeconds } = await visit(THROTTLE)
      const { cpu: cpuSeconds } = await visit(1)
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
