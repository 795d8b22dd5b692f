/** Pictures of pages, and what the pages complain about meanwhile. */
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { openWindow } from '../../test/browser/browser.ts'
import type { Shot } from './pages.ts'

const PHONE = { width: 390, height: 844 }
export const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', viewport: PHONE, hasTouch: true, isMobile: true },
} as const
export type Look = keyof typeof LOOKS

/** What lies beyond the right edge of the page itself: such a page scrolls sideways. */
const OVERFLOW = `(() => {
  const main = document.querySelector('main') ?? document.documentElement
  return main.scrollWidth - main.clientWidth
})()`

/** Takes each page into `directory` as NAME-LOOK.png, and answers with everything that is wrong, one line each. */
export async function shoot(
  browser: Browser,
  link: string,
  shots: readonly Shot[],
  look: Look,
  directory: string,
): Promise<string[]> {
  const wrong: string[] = []
  const { page, context, complaints } = await openWindow(browser, link, { ...LOOKS[look], reducedMotion: 'reduce' })
  let name = ''
  page.on('response', (answer) => {
    // Who asks for what is not there, or not served, is told so: the page is to say it.
    const expected = answer.status() === (name.startsWith('error-') ? 404 : name === 'damaged' ? 503 : 0)
    if (answer.status() >= 400 && !expected) wrong.push(`${name} ${look}: ${answer.status()} of ${answer.url()}`)
  })
  for (const shot of shots) {
    name = shot.name
    complaints.length = 0
    await page.goto(new URL(shot.path, link).href)
    if (shot.press !== undefined) await page.getByRole('button', { name: shot.press }).click()
    const there = page.getByText(shot.shows).filter({ visible: true }).first()
    await there.waitFor({ timeout: 10_000 }).catch(() => wrong.push(`${name} ${look}: does not show "${shot.shows}"`))
    // Not a function that waits in the page: the content policy keeps out what is made of a text.
    const loading = page.locator('[aria-busy="true"]').first()
    await loading
      .waitFor({ state: 'detached', timeout: 10_000 })
      .catch(() => wrong.push(`${name} ${look}: still loads`))
    await page.screenshot({ path: join(directory, `${name}-${look}.png`) })
    const beyond = Number(await page.evaluate(OVERFLOW))
    if (beyond > 0) wrong.push(`${name} ${look}: is ${beyond} px wider than the window`)
    wrong.push(...complaints.map((complaint) => `${name} ${look}: ${complaint}`))
  }
  await context.close()
  return wrong
}
