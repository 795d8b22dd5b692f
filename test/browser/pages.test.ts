import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { firstAddresses } from '../../web/src/first-addresses.ts'
import { describeWithTool } from '../tools.ts'
import { violationsOf } from './axe.ts'
import { buildWeb, openWindow, startBrowser } from './browser.ts'
import { startHostileWorld, type HostileWorld } from './hostile.ts'

const PEOPLE = { eve: 'reader', cyd: 'contributor', mia: 'maintainer', dan: 'deployer', bob: 'admin' }
const SETTINGS = ['repository', 'people', 'teams', 'tokens', 'variables', 'environments', 'sign-in', 'identity']

const addresses = ({ open, merged, run }: HostileWorld): string[] => [
  '/r/shop',
  '/r/shop/mr?state=all',
  `/r/shop/mr/${open}`,
  `/r/shop/mr/${open}?by=change`,
  `/r/shop/mr/${open}?tab=conversation`,
  `/r/shop/mr/${open}?tab=files`,
  `/r/shop/mr/${open}?tab=commits`,
  `/r/shop/mr/${merged}`,
  '/r/shop/runs',
  `/r/shop/runs/${run}`,
  '/r/shop/stacks/production/web?view=graph',
  '/r/shop/stacks/production/job',
  '/r/shop/drift',
  '/r/shop/deployments',
  '/r/shop/dependencies',
  '/r/shop/places',
  '/workers',
  '/audit',
  ...SETTINGS.map((tab) => `/settings?tab=${tab}`),
  '/r/nowhere',
  '/login',
  '/',
]

/** What text that tries to be more would have left behind in a page. */
const TRACES = `({
  ran: window.broken,
  scripts: [...document.querySelectorAll('script')].filter(({ src }) => !src.startsWith(location.origin)).length,
  pictures: document.querySelectorAll('img').length,
  handlers: document.querySelectorAll('[onload], [onerror]').length,
  links: [...document.querySelectorAll('a[href]')].filter(({ protocol }) => !/^https?:$/.test(protocol)).length,
})`
const NONE = { ran: undefined, scripts: 0, pictures: 0, handlers: 0, links: 0 }

async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.locator('main').first().waitFor()
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
  if (url.includes('view=graph')) await page.locator('.react-flow__node').first().waitFor()
  if (url.includes('tab=files')) await page.locator('diffs-container').getByText('JSON').first().waitFor()
}

const OF_MR = ['Approve', 'Request changes', 'Plan again', 'Close']
const OF_MEMBERS = ['Add a person', ...[...Object.keys(PEOPLE), 'admin'].flatMap(() => ['Change', 'Remove'])]
/** What each role may do: by page, the buttons that open an act. A merge waits for an approval, so nobody may yet. */
const MAY: { [role: string]: { [page: string]: string[] } } = {
  reader: {},
  contributor: { mr: OF_MR, conversation: ['Apply', ...OF_MR], run: ['Retry'], stack: ['Check now', 'Write into Git'] },
  maintainer: {
    mr: OF_MR,
    conversation: ['Apply', ...OF_MR],
    run: ['Retry'],
    stack: ['Check now', 'Write into Git'],
    environments: ['Notice', 'Withdraw'],
  },
  deployer: {
    mr: OF_MR,
    conversation: ['Apply', ...OF_MR],
    run: ['Retry'],
    stack: ['Check now', 'Heal', 'Write into Git', 'Accept'],
    environments: ['Notice', 'Freeze', 'Withdraw', 'Lift'],
  },
  admin: {
    mr: OF_MR,
    conversation: ['Apply', ...OF_MR],
    run: ['Retry'],
    stack: ['Check now', 'Heal', 'Write into Git', 'Accept'],
    environments: ['Notice', 'Freeze', 'Withdraw', 'Lift'],
    repository: OF_MEMBERS,
    variables: ['Set a variable'],
  },
}

describeWithTool('chromium', 'every page', ({ path }) => {
  let world: HostileWorld
  let browser: Browser
  beforeAll(async () => {
    buildWeb()
    world = await startHostileWorld(PEOPLE)
    browser = await startBrowser(path)
  })
  afterAll(async () => {
    await browser?.close()
    await world?.close()
  })

  it('leaves no route of the application out', async () => {
    const router = await readFile(join(import.meta.dirname, '../../web/src/router.tsx'), 'utf8')
    const routes = [...router.matchAll(/path: '([^']+)'/g)].map(([, route]) => route!)
    expect(routes.length).toBeGreaterThan(10)
    const visited = addresses(world).map((address) => address.split('?')[0]!)
    const fits = (route: string) => new RegExp(`^${route.replaceAll(/\$\w+/g, '[^/]+').replace(/\$$/, '.+')}$`)
    expect(routes.filter((route) => !visited.some((address) => fits(route).test(address)))).toEqual([])
  })

  it('asks for what a page shows first before the application is there, and for nothing twice', async () => {
    const { page, context } = await openWindow(browser, await world.linkFor('bob'))
    const asked: string[] = []
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url())
      if (pathname.startsWith('/api/') && pathname !== '/api/v1/events') asked.push(pathname + search)
    })
    for (const address of [
      '/r/shop',
      `/r/shop/mr/${world.open}`,
      `/r/shop/runs/${world.run}`,
      '/r/shop/stacks/production/web',
    ]) {
      asked.length = 0
      await visit(page, `${world.url}${address}`)
      const before = firstAddresses(new URL(page.url()).pathname, '')
      expect(before.length).toBeGreaterThan(2)
      expect(asked.filter((each) => before.includes(each)).sort()).toEqual(before.sort())
    }
    await context.close()
  })

  it('holds text for text, and has nothing that axe minds in light or dark', async () => {
    const { page, context, complaints } = await openWindow(browser, await world.linkFor('bob'))
    const found: { [address: string]: unknown } = {}
    for (const address of addresses(world)) {
      await visit(page, `${world.url}${address}`)
      const violations = [...(await violationsOf(page, 'light')), ...(await violationsOf(page, 'dark'))]
      if (violations.length > 0) found[address] = violations
      expect({ address, ...(await page.evaluate<object>(TRACES)) }).toEqual({ address, ...NONE })
    }
    expect(found).toEqual({})
    expect(complaints).toEqual([])
    await context.close()
  }, 900_000)

  it.each(Object.entries(PEOPLE))('offers %s, who is %s, only what that role may do', async (person, role) => {
    const { page, context } = await openWindow(browser, await world.linkFor(person))
    const pages = {
      mr: `/r/shop/mr/${world.open}`,
      conversation: `/r/shop/mr/${world.open}?tab=conversation`,
      run: `/r/shop/runs/${world.run}`,
      stack: '/r/shop/stacks/production/web',
      environments: '/settings?tab=environments',
      repository: '/settings?tab=repository',
      variables: '/settings?tab=variables',
    }
    const offered: { [page: string]: string[] } = {}
    for (const [name, address] of Object.entries(pages)) {
      await visit(page, `${world.url}${address}`)
      const acts = await page.locator('main button[aria-haspopup="dialog"]:enabled').allInnerTexts()
      if (acts.length > 0) offered[name] = acts
    }
    expect(offered).toEqual(MAY[role])
    await context.close()
  })

  it('says of each of many whether it can be done and why not, and leads from one attempt to the other', async () => {
    const { page, context } = await openWindow(browser, await world.linkFor('bob'))
    const main = page.getByRole('main')
    const dialog = page.getByRole('dialog')
    const lines = async () =>
      (await dialog.getByRole('listitem').allInnerTexts()).map((text) => text.split('\n').at(-1))
    await visit(page, `${world.url}/r/shop/mr?state=all`)
    await main.getByRole('button', { name: 'Plan again: 1' }).click()
    expect(await lines()).toEqual(['can be planned', 'it is merged'])
    await dialog.getByRole('button', { name: 'Plan 1' }).click()
    await dialog.waitFor({ state: 'hidden' })

    await visit(page, `${world.url}/r/shop/runs?state=failed`)
    await main.getByRole('button', { name: 'Retry all 1' }).click()
    expect(await lines()).toEqual(['can be tried again'])
    await dialog.getByRole('button', { name: 'Retry 1' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await visit(page, `${world.url}/r/shop/runs/${world.run}`)
    await page.getByRole('navigation', { name: 'Attempts' }).getByRole('link', { name: '2' }).click()
    await page.getByRole('heading', { name: 'production/job' }).waitFor()
    expect(page.url()).not.toContain(world.run)
    await context.close()
  })

  it('shows what has changed between its first answers and the stream of changes', async () => {
    const { page, context } = await openWindow(browser, await world.linkFor('bob'))
    const opening = Promise.withResolvers<void>()
    await page.route('**/api/v1/events*', async (route) => {
      await opening.promise
      await route.continue()
    })
    await visit(page, `${world.url}/r/shop`)
    await page.getByRole('table').getByText('Drifted').first().waitFor()
    const text = 'Said between two moments'
    const notice = await world.shop('POST', '/environments/production/notices', { kind: 'info', text })
    expect(notice.status).toBe(201)
    expect(await page.getByText(text).count()).toBe(0)
    opening.resolve()
    await page.getByText(text).first().waitFor({ timeout: 30_000 })
    await world.shop('DELETE', `/environments/production/notices/${notice.body.id}`)
    await context.close()
  })

  it('marks a verdict that is older than its interval as stale', async () => {
    const { page, context } = await openWindow(browser, await world.linkFor('bob'))
    await visit(page, `${world.url}/r/shop`)
    await page.getByRole('table').getByText('Drifted').first().waitFor()
    expect(await page.getByText('stale', { exact: true }).count()).toBe(0)
    await page.clock.setFixedTime(Date.now() + 7 * 86_400_000)
    for (const address of ['/r/shop', '/r/shop/stacks/production/web', `/r/shop/mr/${world.open}`]) {
      await visit(page, `${world.url}${address}`)
      await page
        .getByText(/\bstale\b/)
        .first()
        .waitFor()
    }
    await context.close()
  })

  it('shows when each line of a log was written, in the address too, and keeps the lines where they are', async () => {
    const { page, context } = await openWindow(browser, await world.linkFor('bob'))
    await visit(page, `${world.url}/r/shop/runs/${world.run}`)
    const log = page.getByRole('log')
    /** Where the first line stands within the log. */
    const stands = async (): Promise<number> => {
      const line = log.getByRole('button', { name: 'Address of line 1', exact: true })
      const [its, whole] = [await line.boundingBox(), await log.boundingBox()]
      return its!.y - whole!.y
    }
    const before = await stands()
    await page.getByRole('button', { name: 'Times' }).click()
    expect(await log.locator('time').first().innerText()).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/)
    expect(await stands()).toBe(before)
    expect(page.url()).toContain('time=true')
    await page.reload()
    await log.locator('time').first().waitFor()
    expect([...(await violationsOf(page, 'light')), ...(await violationsOf(page, 'dark'))]).toEqual([])
    await context.close()
  })

  it('takes the whole story by the keyboard', async () => {
    const [freeze] = (await world.shop('GET', '/environments/production')).body.freezes
    await world.shop('DELETE', `/environments/production/freezes/${freeze.id}`)
    const { page, context } = await openWindow(browser, await world.linkFor('bob'))
    const { keyboard } = page
    const focused = page.locator(':focus')
    /** Tab until the focus is on a button of that name; the walk ends where it began, so a button out of reach fails. */
    const walkTo = async (name: string): Promise<void> => {
      for (let steps = 0; steps < 150; steps++) {
        await keyboard.press('Tab')
        const button =
          (await focused.count()) > 0 && (await focused.evaluate((element) => element.tagName)) === 'BUTTON'
        if (button && (await focused.innerText()).trim() === name) return
      }
      throw new Error(`Tab does not lead to ${name}`)
    }
    const act = async (name: string, reason?: string): Promise<void> => {
      await page.getByRole('main').getByRole('button', { name, exact: true, disabled: false }).first().waitFor()
      await walkTo(name)
      await keyboard.press('Enter')
      await page.getByRole('dialog').waitFor()
      if (reason) {
        while ((await focused.evaluate((element) => element.tagName)) !== 'TEXTAREA') await keyboard.press('Tab')
        await keyboard.type(reason)
      }
      await walkTo(name)
      await keyboard.press('Enter')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
    }
    const go = async (name: string): Promise<void> => {
      await keyboard.press('Control+k')
      await page.getByRole('dialog').getByRole('combobox').and(focused).waitFor()
      await keyboard.type(name)
      await page.getByRole('option', { name }).first().waitFor()
      await keyboard.press('Enter')
    }

    await keyboard.press('g')
    await keyboard.press('m')
    await page.getByRole('heading', { name: 'Merge requests' }).waitFor()
    await page.locator('main [data-row]').first().waitFor()
    await keyboard.press('j')
    await keyboard.press('Enter')
    await act('Approve')
    await page.getByRole('heading', { name: 'It may merge' }).waitFor()
    await act('Merge')
    await page.getByText('What became of it').waitFor()

    await go('production/web')
    await page.getByText('No open drift').waitFor()
    // Every act of the page is in the palette too, with its command.
    await keyboard.press('Control+k')
    await page.getByRole('dialog').getByRole('combobox').and(focused).waitFor()
    await keyboard.type('check')
    await page.getByRole('dialog').getByText('trueup drift check production/web').waitFor()
    await keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Check now' }).waitFor()
    await keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await act('Roll back', 'by keyboard')
    await page.waitForURL(/\/mr\/\d+$/)
    await page.getByText('rollback').first().waitFor()
    await context.close()
  })
})
