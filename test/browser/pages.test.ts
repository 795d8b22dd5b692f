import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithTool } from '../tools.ts'
import { until } from '../../src/server/testing/live.ts'
import { buildWeb, openWindow, startBrowser, type Window } from './browser.ts'
import { startWorld, withWeb, type World } from './world.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const HOSTILE = `<img src=x onerror="window.broken=1"><script>window.broken=1</script>`

interface Violation {
  id: string
  nodes: { target: string[]; failureSummary: string }[]
}

describeWithTool('chromium', 'pages of the web application', ({ path }) => {
  let world: World
  let browser: Browser
  let ada: Window
  let run = ''
  beforeAll(async () => {
    buildWeb()
    world = await startWorld()
    await world.push('hostile', {
      'trueup.yaml': withWeb(world.target),
      'web/<img src=x onerror=broken=1>.html': `${HOSTILE}\n`,
      'web/index.html': `${HOSTILE}\n`,
    })
    const made = await world.shop('POST', '/merge-requests', {
      sourceBranch: 'hostile',
      title: HOSTILE,
      description: `**bold** ${HOSTILE} [click](javascript:window.broken=1) ![x](https://elsewhere.example/x.png)`,
    })
    await world.shop('POST', `/merge-requests/${made.body.number}/comments`, { body: HOSTILE })
    const planned = await until(
      () => world.shop('GET', '/merge-requests/1'),
      ({ body }) => body.planned,
    )
    run = planned.body.stacks[0].run
    browser = await startBrowser(path)
    ada = await openWindow(browser, await world.linkFor('ada'))
  })
  afterAll(async () => {
    await browser?.close()
    await world?.close()
  })

  const PAGES: [name: string, path: () => string, shows: string][] = [
    ['overview', () => '/r/shop', 'Search by name'],
    ['merge requests', () => '/r/shop/mr', 'Merge requests'],
    ['plans', () => '/r/shop/mr/1', 'missing before it may merge'],
    ['conversation', () => '/r/shop/mr/1?tab=conversation', 'Say something'],
    ['files', () => '/r/shop/mr/1?tab=files', 'Show in one column'],
    ['commits', () => '/r/shop/mr/1?tab=commits', 'Commits'],
    ['runs', () => '/r/shop/runs', 'Every execution'],
    ['run', () => `/r/shop/runs/${run}`, 'Log'],
    ['drift', () => '/r/shop/drift', 'Nothing has drifted'],
    ['deployments', () => '/r/shop/deployments', 'Lead time'],
    ['dependencies', () => '/r/shop/dependencies', 'An arrow leads'],
    ['workers', () => '/workers', 'Enrol a worker'],
    ['settings', () => '/settings', 'Roles'],
    ['environments', () => '/settings?tab=environments', 'approvals'],
    ['tokens', () => '/settings?tab=tokens', 'this session'],
  ]

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    it.each(PAGES)('%s has nothing that axe finds, and hostile text stays text', async (_name, address, shows) => {
      const { page } = ada
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.goto(world.url + address())
      await page.getByText(shows).first().or(page.getByPlaceholder(shows)).first().waitFor()
      // The content policy keeps a script out that is put into the page, and not one that the debugger evaluates.
      await page.evaluate(AXE)
      const { violations } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
        violations: Violation[]
      }
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`),
      ).toEqual([])
      expect(await page.evaluate('window.broken')).toBeUndefined()
      expect(ada.complaints).toEqual([])
    })
  })

  it('are one page in the eyes of the content policy, whatever their address', async () => {
    const { headers, status } = await fetch(`${world.url}/r/shop/mr/1`)
    expect(status).toBe(200)
    const policy = headers.get('content-security-policy')
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    const missing = await fetch(`${world.url}/assets/none.js`)
    expect([missing.status, (await fetch(`${world.url}/api/v1/none`)).status]).toEqual([404, 404])
  })

  it('show a reader what may not be done, and why', async () => {
    const { page, context } = await openWindow(browser, await world.linkFor('eve'))
    await page.goto(`${world.url}/r/shop/mr/1`)
    for (const name of ['Approve', 'Merge', 'Close']) {
      const button = page.getByRole('main').getByRole('button', { name, exact: true })
      expect(await button.isDisabled()).toBe(true)
      expect(await button.getAttribute('title')).toContain('reader')
    }
    await context.close()
  })

  it('can be gone through by keys alone', async () => {
    const { page } = ada
    await page.goto(`${world.url}/r/shop/mr`)
    await page.getByRole('main').getByText('hostile').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByText('missing before it may merge').waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: /Name of a page/ }).fill('drift')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing has drifted').waitFor()
  })
})
