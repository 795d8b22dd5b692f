import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTool } from '../tools.ts'
import { until } from '../../src/server/testing/live.ts'
import { buildWeb, openWindow, shiftsOf, startBrowser, type Window } from './browser.ts'
import { startWorld, withWeb, type World } from './world.ts'

describeWithTool('chromium', 'the whole story by clicking', ({ path }) => {
  let world: World
  let browser: Browser
  let ada: Window
  let bob: Window
  beforeAll(async () => {
    buildWeb()
    world = await startWorld()
    browser = await startBrowser(path)
    ada = await openWindow(browser, await world.linkFor('ada'))
    bob = await openWindow(browser, await world.linkFor('bob'))
  })
  afterAll(async () => {
    await browser?.close()
    await world?.close()
  })
  const content = () => readFile(join(world.target, 'index.html'), 'utf8').catch(() => '')
  const settles = (text: string) => until(content, (found) => found === text)
  /** The server refuses a check or a heal of a stack that another run works on: a deployment goes on after its files are there. */
  const nothingRuns = () =>
    until(
      () => world.shop('GET', '/runs?limit=100'),
      ({ body }) => body.items.every((run: { finishedAt: number | null }) => run.finishedAt !== null),
    )
  /** A button, then the one of the same name in the window that it opens. */
  const act = async ({ page }: Window, name: string, reason?: string) => {
    await page.getByRole('main').getByRole('button', { name, exact: true }).first().click()
    const dialog = page.getByRole('dialog')
    if (reason) await dialog.getByRole('textbox').first().fill(reason)
    await dialog.getByRole('button', { name, exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
  }
  const openMr = async (branch: string, files: { [path: string]: string }): Promise<number> => {
    await world.push(branch, files)
    const made = await world.shop('POST', '/merge-requests', { sourceBranch: branch, title: `Bring ${branch}` })
    return made.body.number
  }

  it('logs in by the link, once, and leaves nothing of it in the address', async () => {
    expect(ada.page.url()).toBe(`${world.url}/r/shop`)
    const used = await world.linkFor('eve')
    const { context } = await openWindow(browser, used)
    await context.close()
    const page = await (await browser.newContext()).newPage()
    await page.goto(used)
    await page.getByRole('alert').getByText('the link was used before').waitFor()
    expect(page.url()).not.toContain('code')
    await page.context().close()
  })

  it('shows an open merge request to both without a reload, and its plan', async () => {
    const number = await openMr('first-page', {
      'trueup.yaml': withWeb(world.target),
      'web/index.html': '<h1>Hello</h1>\n',
    })
    for (const { page } of [ada, bob]) await page.getByRole('link', { name: `!${number} Bring first-page` }).click()
    await ada.page.getByText('<h1>Hello</h1>').first().waitFor()
    await ada.page.getByText('1 missing before it may merge').waitFor()
    await ada.page.getByText(/^Planned (just now|\d+ s ago)/).waitFor()
    const merge = ada.page.getByRole('main').getByRole('button', { name: 'Merge', exact: true })
    expect(await merge.isDisabled()).toBe(true)
  })

  it('edits a file and shows its plan; suggests a change of a line, and applies it', async () => {
    const tab = ({ page }: Window, name: string) =>
      page.getByRole('navigation', { name: 'Views of the merge request' }).getByRole('link', { name }).click()
    await tab(ada, 'Files')
    await ada.page.getByRole('button', { name: 'Edit web/index.html' }).click()
    await ada.page.getByRole('textbox', { name: 'Content of web/index.html' }).fill('<h1>Helo</h1>\n')
    await ada.page.getByRole('button', { name: 'Commit to first-page' }).click()
    await ada.page.getByText('<h1>Helo</h1>').first().waitFor()

    await bob.page.getByText('This changed while you were looking').waitFor()
    await tab(bob, 'Files')
    const file = bob.page.getByRole('region', { name: 'web/index.html' })
    await file.getByText('Helo').waitFor()
    await file.locator('[data-column-number="1"]').last().click()
    await file.getByRole('button', { name: 'Suggest a change' }).click()
    const comment = file.getByRole('textbox', { name: 'Comment on line 1 of web/index.html' })
    await comment.fill((await comment.inputValue()).replace('Helo', 'Hello'))
    await file.getByRole('button', { name: 'Comment', exact: true }).click()

    await tab(ada, 'Conversation')
    await ada.page.getByRole('figure', { name: 'Suggestion at line 1' }).getByText('<h1>Hello</h1>').waitFor()
    await act(ada, 'Apply')
    await tab(ada, 'Plans')
    await ada.page.getByText('<h1>Hello</h1>').first().waitFor()
    await bob.page.getByText('resolved by ada').first().waitFor()
    await bob.page.getByRole('button', { name: 'Show me what is there now' }).click()
    await tab(bob, 'Plans')
  })

  it('approves what is on the screen, which the other one sees, and merges', async () => {
    await until(
      () => bob.page.getByRole('main').getByRole('button', { name: 'Approve', exact: true }).isEnabled(),
      (enabled) => enabled,
    )
    await act(bob, 'Approve')
    await ada.page.getByText('It may merge').waitFor()
    await act(ada, 'Merge')
    await settles('<h1>Hello</h1>\n')
    for (const { page } of [ada, bob]) {
      await page.getByText('What became of it').waitFor()
      await page.getByText('Succeeded').first().waitFor()
    }
  })

  it('greys the approval out when something is pushed meanwhile, and says what changed', async () => {
    const number = await openMr('second-page', { 'web/index.html': '<h1>Broken</h1>\n' })
    await bob.page.goto(`${world.url}/r/shop/mr/${number}`)
    const approve = bob.page.getByRole('main').getByRole('button', { name: 'Approve', exact: true })
    await until(
      () => approve.isEnabled(),
      (enabled) => enabled,
    )
    await world.commitTo('second-page', { 'web/more.html': 'more\n' })
    await bob.page.getByText('This changed while you were looking').waitFor()
    expect(await approve.isDisabled()).toBe(true)
    await bob.page.getByText('production/web: has another plan').waitFor()
    await bob.page.getByRole('button', { name: 'Show me what is there now' }).click()
    await bob.page.getByText('What the last push changed in this plan').click()
    await bob.page.getByText('Planned besides the plan before the push: 1').waitFor()
    // The commits name ada, who has not pushed them.
    await act(bob, 'Let vote', 'she sat beside me')
    await bob.page.getByText('Named in its commits').waitFor({ state: 'detached' })
    await act(bob, 'Approve')
    await ada.page.goto(`${world.url}/r/shop/mr/${number}`)
    await ada.page.getByText('It may merge').waitFor()
    await act(ada, 'Merge')
    await settles('<h1>Broken</h1>\n')
  })

  it('finds drift when asked, shows both values, and heals it', async () => {
    await ada.page.getByRole('link', { name: 'Overview' }).click()
    await ada.page.getByRole('link', { name: 'In sync' }).first().click()
    await ada.page.getByRole('heading', { name: 'production/web' }).waitFor()
    await nothingRuns()
    await world.tamper('tampered with\n')
    await act(ada, 'Check now')
    await ada.page.getByText('tampered with').first().waitFor()
    await bob.page.getByRole('link', { name: 'Drift', exact: true }).click()
    await bob.page.getByText('tampered with').first().waitFor()
    await nothingRuns()
    await act(ada, 'Heal')
    await settles('<h1>Broken</h1>\n')
    await bob.page.getByText('Nothing has drifted').waitFor()
  })

  it('rolls back: says what that takes back, and puts it right after one approval', async () => {
    await ada.page.goto(`${world.url}/r/shop/mr/2`)
    await act(ada, 'Revert !2', 'the page is broken')
    await ada.page.getByText('rollback').first().waitFor()
    const address = ada.page.url()
    expect(address).toMatch(/\/mr\/3$/)
    // Until that is approved nothing deploys what Git says: a state of its own, by which it is found.
    await ada.page.goto(`${world.url}/r/shop`)
    await ada.page.getByRole('button', { name: /Quarantined\s*1/ }).click()
    await ada.page.waitForURL(/state=quarantined/)
    await ada.page.getByRole('link', { name: 'Quarantined' }).waitFor()
    const { body: found } = await world.shop('GET', '/stacks?state=quarantined')
    expect(found.items).toMatchObject([{ name: 'web', stateReason: expect.stringContaining('in quarantine by !3') }])
    await bob.page.goto(address)
    await until(
      () => bob.page.getByRole('main').getByRole('button', { name: 'Approve', exact: true }).isEnabled(),
      (enabled) => enabled,
    )
    await act(bob, 'Approve')
    await settles('<h1>Hello</h1>\n')
    await ada.page.goto(`${world.url}/r/shop/stacks/production/web`)
    await ada.page.getByText(/Another state is in quarantine by !\d+:/).waitFor()
  })

  it('goes on after a restart of the server while the page is open, with what was typed in it', async () => {
    await nothingRuns()
    const search = bob.page.getByRole('searchbox', { name: 'Search stacks by name' })
    await bob.page.goto(`${world.url}/r/shop`)
    await bob.page.getByRole('status').getByText('Live', { exact: true }).waitFor()
    await search.fill('web')
    await world.restart()
    await bob.page.getByRole('status').getByText('Live', { exact: true }).waitFor()
    expect(await search.inputValue()).toBe('web')

    // What changes while somebody looks on changes where it stands: nothing moves.
    await shiftsOf(bob.page)
    await world.tamper('changed during the night\n')
    await world.shop('POST', '/drift/checks', { stack: 'production/web' })
    await bob.page.getByRole('link', { name: 'Drifted' }).first().waitFor()
    await bob.page.getByRole('button', { name: /Drifted\s*1/ }).waitFor()
    await world.push('while-one-looks', { 'web/index.html': 'another\n' })
    const { body: fresh } = await world.shop('POST', '/merge-requests', {
      sourceBranch: 'while-one-looks',
      title: 'New',
    })
    await bob.page.getByText('Waits for someone: 1').waitFor()
    expect(await shiftsOf(bob.page)).toEqual([])
    await world.shop('POST', `/merge-requests/${fresh.number}/close`)
    await ada.page.getByText('changed during the night').first().waitFor()
  })

  it('heals a group, and says of each stack before whether it can be', async () => {
    await nothingRuns()
    await bob.page.getByRole('link', { name: 'Drift', exact: true }).click()
    await bob.page.getByRole('main').getByRole('button', { name: 'Heal', exact: true }).click()
    const dialog = bob.page.getByRole('dialog')
    await dialog.getByText('can be healed').waitFor()
    await dialog.getByRole('button', { name: 'Heal 1' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await settles('<h1>Hello</h1>\n')
  })

  it('left no complaint in any page', () => {
    expect([...ada.complaints, ...bob.complaints]).toEqual([])
  })
})
