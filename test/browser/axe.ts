import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** WCAG 2.2 A and AA, and what axe holds for good practice. */
const RUN = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => ({ id, target, failureSummary }))))`
const COLOURS = RUN.replace('{ resultTypes', "{ runOnly: ['color-contrast'], resultTypes")

interface Violation {
  id: string
  target: unknown[]
  failureSummary: string
}

/** What axe has against a page in the colours of `scheme`, one line each: rule, element, what to do. */
export async function violationsOf(page: Page, scheme: 'light' | 'dark'): Promise<string[]> {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
  await page.evaluate(`globalThis.axe || (() => { ${axe.source} })()`)
  // Structure and names do not depend on the colours: those are looked at once.
  const found = await page.evaluate<Violation[]>(scheme === 'light' ? RUN : COLOURS)
  return found.map(({ id, target, failureSummary }) => {
    const how = failureSummary.split('\n').slice(1).join(' ').trim()
    return `${scheme} ${id} ${target.map(String).join(' ')}: ${how}`
  })
}
