import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startLiveServer, until, type LiveServer } from '../../src/server/testing/live.ts'
import { describeWithTool } from '../tools.ts'
import { buildWeb, openWindow, startBrowser } from './browser.ts'

const LINES = 400
const rules = (stacks: string): string => `version: 1
environments:
  production: { drift: { mode: observe, interval: 1h } }
stacks:${stacks}
`
const withStacks = (directory: string): string =>
  rules(
    `
  - path: web
    driver: files
    with: { target: ${join(directory, 'srv')}, prune: listed }
  - path: noisy
    driver: command
    with: { plan: 'echo change; exit 2', apply: ./apply.sh }`,
  )
/** Fails in the middle of what it says, which is much. */
const NOISY = `i=0
while [ $i -lt ${LINES} ]; do
  i=$((i + 1))
  [ $i = 200 ] && echo 'Error: the disk is full'
  echo "line $i of it"
done
exit 1
`

/** What reaches beyond the right edge and can be scrolled to, by the page as a whole. */
const WIDER = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]
  .filter((each) => each.getBoundingClientRect().right > innerWidth)
  .map((each) => each.tagName + '.' + each.className + ': ' + each.textContent.slice(0, 40))`

describeWithTool('chromium', 'acts of single pages', ({ path }) => {
  let live: LiveServer
  let browser: Browser
  let page: Page
  let close: () => Promise<void>
  const index = (): string => join(live.directory, 'srv', 'index.html')
  const quiet = () =>
    until(
      () => live.shop('GET', '/runs?limit=100'),
      ({ body }) => body.items.every(({ finishedAt }: { finishedAt: number | null }) => finishedAt !== null),
      180_000,
    )
  /** Somebody edits the target by hand, and a check finds it. */
  const drift = async (text: string): Promise<void> => {
    await quiet()
    await writeFile(index(), text)
    await live.shop('POST', '/drift/checks', { stack: 'production/web' })
    await until(
      () => live.shop('GET', '/drift'),
      ({ body }) => body.items.length > 0,
      180_000,
    )
    await quiet()
  }
  /** A button, and the one of the same name in the window that it opens. */
  const act = async (name: string, fill: { [label: string]: string } = {}): Promise<void> => {
    await page.getByRole('main').getByRole('button', { name, exact: true }).first().click()
    const dialog = page.getByRole('dialog')
    for (const [label, text] of Object.entries(fill))
      await dialog.locator('input, textarea').and(dialog.getByLabel(label)).fill(text)
    await dialog.getByRole('button', { name, exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
  }

  beforeAll(async () => {
    buildWeb()
    live = await startLiveServer(() => ({ 'trueup.yaml': rules(' []') }))
    await live.push('first', {
      'trueup.yaml': withStacks(live.directory),
      'web/index.html': 'Hello\n',
      'noisy/apply.sh': `#!/bin/sh\n${NOISY}`,
    })
    await live.git('update-index', '--chmod=+x', 'noisy/apply.sh')
    await live.git('commit', '--quiet', '--message', 'Make it a program')
    await live.git('push', '--quiet', 'origin', 'HEAD:first')
    const { number } = (await live.shop('POST', '/merge-requests', { sourceBranch: 'first', title: 'First' })).body
    await until(
      () => live.shop('GET', `/merge-requests/${number}`),
      ({ body }) => body.planned,
      180_000,
    )
    await live.shop('POST', `/merge-requests/${number}/merge?bypass`, { squash: false, bypassReason: 'the first one' })
    await until(
      () => live.shop('GET', '/runs?kind=deploy'),
      ({ body }) => body.items.length === 2,
      180_000,
    )
    await quiet()
    browser = await startBrowser(path)
    const link = (await live.request('POST', '/api/v1/session/links', {})).body.url
    const opened = await openWindow(browser, link)
    page = opened.page
    close = () => opened.context.close()
  })
  afterAll(async () => {
    await close?.()
    await browser?.close()
    await live?.close()
  })

  it('accepts drift with a reason until a time', async () => {
    await drift('Edited\n')
    await page.goto(`${live.url}/r/shop/stacks/production/web`)
    const until = new Date(Date.now() + 86_400_000)
    await act('Accept', { Why: 'a banner for the party', Until: until.toISOString().slice(0, 16) })
    await page.getByText('Drift that is over').click()
    await page.getByText('a banner for the party').waitFor()
    const [record] = (await live.shop('GET', '/drift?state=accepted')).body.items
    expect(record.accepted).toMatchObject({ reason: 'a banner for the party' })
    expect(Math.abs(record.accepted.until - until.getTime())).toBeLessThan(14 * 3_600_000)
  })

  it('heals at phone width, without a page that is wider than the phone', async () => {
    await drift('Edited again\n')
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(`${live.url}/r/shop/stacks/production/web`)
    await page.getByRole('main').getByRole('button', { name: 'Heal', exact: true, disabled: false }).first().waitFor()
    expect(await page.evaluate<string[]>(WIDER)).toEqual([])
    await act('Heal')
    await until(
      () => readFile(index(), 'utf8'),
      (text) => text === 'Hello\n',
      180_000,
    )
    await page.getByText('No drift is open').or(page.getByText('In sync')).first().waitFor()
    await page.setViewportSize({ width: 1280, height: 860 })
  })

  it('opens a failed log where it failed, searches it and comes back to the failure by a key', async () => {
    const [{ id }] = (await live.shop('GET', '/runs?kind=deploy&state=failed')).body.items
    await page.goto(`${live.url}/r/shop/runs/${id}`)
    const log = page.getByRole('log')
    const failure = log.getByText('Error: the disk is full')
    await failure.waitFor()
    await page.getByLabel('Search in the log').fill('line 39')
    await page.getByText(/^\d\d of \d+ lines$/).waitFor()
    expect(page.url()).toContain('q=line')
    await page.reload()
    await log.getByText('line 390 of it', { exact: true }).waitFor()
    expect(await failure.count()).toBe(0)
    await page.getByLabel('Search in the log').fill('')
    await log.evaluate((element) => element.scrollTo(0, 0))
    await log.getByText('line 1 of it', { exact: true }).waitFor()
    await log.press('f')
    await failure.waitFor({ timeout: 20_000 })
  })

  it('keeps which files were viewed, in this browser', async () => {
    await live.push('second', { 'web/index.html': 'Hello again\n' })
    const { number } = (await live.shop('POST', '/merge-requests', { sourceBranch: 'second', title: 'Second' })).body
    await page.goto(`${live.url}/r/shop/mr/${number}?tab=files`)
    const mark = page.getByRole('region', { name: 'web/index.html' }).getByRole('checkbox', { name: 'viewed' })
    await mark.check()
    await page.reload()
    await mark.waitFor()
    expect(await mark.isChecked()).toBe(true)
    // Another content is another file.
    await live.commitTo('second', { 'web/index.html': 'Hello once more\n' })
    await expect.poll(() => mark.isChecked(), { timeout: 60_000 }).toBe(false)
  })

  it('posts a notice that stands on the overview', async () => {
    await page.goto(`${live.url}/settings?tab=environments`)
    await act('Notice', { 'What everybody should know': 'The database is being moved' })
    await page.goto(`${live.url}/r/shop`)
    await page.getByText('The database is being moved').first().waitFor()
  })

  it('verifies the chain of the audit', async () => {
    await page.goto(`${live.url}/audit`)
    await page.getByRole('button', { name: 'Verify the chain' }).click()
    await page.getByText(/^The chain holds: \d+ events/).waitFor()
  })

  it('makes a token that is good from some addresses only', async () => {
    await page.goto(`${live.url}/settings?tab=tokens`)
    await act('New token', { Name: 'ci', 'Only from': '10.0.0.0/8, 2001:db8::/32' })
    await page.getByText('from:10.0.0.0/8, from:2001:db8::/32, write').waitFor()
  })
})
