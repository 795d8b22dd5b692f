import { truncate, writeFile } from 'node:fs/promises'
import { basename, delimiter, dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { until } from '../../src/server/testing/live.ts'
import { describeWithTool, findTool } from '../tools.ts'
import { buildWeb, openWindow, startBrowser, type Window } from './browser.ts'
import { rulesWith, startWorld, type World } from './world.ts'

const [tool] = ['tofu', 'terraform'].flatMap((name) => findTool(name) ?? [])
const terraform = tool === undefined ? undefined : basename(tool.path)
const PATIENCE_MS = 180_000

/** A plan in JSON whose one attribute is what a file outside of Git says at that moment. */
const plan = (address: string, action: string, outside: string): string =>
  `size=$(cat ${outside})
printf '{"changes":[{"address":"${address}","resource":"job","actions":["${action}"],"attributes":[{"path":"size","before":"small","after":"%s"}]}],"coverage":{"checked":1,"unchecked":[]}}' "$size"
exit 2
`
const job = (path: string, more = ''): string => `
  - path: ${path}
    driver: command${more}
    with: { plan: sh plan.sh, apply: sh apply.sh, planFormat: json, idempotent: true }`
const dns = (input: string): string => `resource "terraform_data" "record" {\n  input = "${input}"\n}\n`

describeWithTool('chromium', 'what is not as it was approved, and what a browser brings', ({ path }) => {
  let world: World
  let browser: Browser
  let ada: Window
  let bob: Window
  beforeAll(async () => {
    buildWeb()
    // The worker looks for it as on any machine.
    if (tool !== undefined) vi.stubEnv('PATH', `${dirname(tool.path)}${delimiter}${process.env['PATH'] ?? ''}`)
    world = await startWorld()
    browser = await startBrowser(path)
    ada = await openWindow(browser, await world.linkFor('ada'))
    bob = await openWindow(browser, await world.linkFor('bob'))
    const outside = join(world.directory, 'outside')
    await writeFile(outside, 'one')
    const stacks = [
      job('grow', '\n    showSecretDiff: true'),
      job('shrink'),
      `
  - path: web
    driver: files
    with: { target: ${world.target}, prune: listed }`,
      terraform ? `\n  - { path: dns, driver: terraform, with: { tool: ${terraform} } }` : '',
    ]
    await world.push('first', {
      'trueup.yaml': rulesWith(stacks.join('')),
      'grow/plan.sh': plan('job.grow', 'update', outside),
      'grow/apply.sh': 'true\n',
      'shrink/plan.sh': plan('job.shrink', 'delete', outside),
      'shrink/apply.sh': 'true\n',
      'web/index.html': '<h1>Hello</h1>\n',
      ...(terraform && { 'dns/main.tf': dns('one') }),
    })
  })
  afterAll(async () => {
    await browser?.close()
    await world?.close()
    vi.unstubAllEnvs()
  })
  const propose = async (branch: string): Promise<number> => {
    const { number } = (await world.shop('POST', '/merge-requests', { sourceBranch: branch, title: branch })).body
    await until(
      () => world.shop('GET', `/merge-requests/${number}`).then(({ body }) => body),
      ({ planned }) => planned,
      PATIENCE_MS,
    )
    return number
  }
  const runs = (query: string) => world.shop('GET', `/runs?${query}`).then(({ body }) => body.items)
  const act = async ({ page }: Window, name: string) => {
    await page.getByRole('main').getByRole('button', { name, exact: true, disabled: false }).first().click()
    await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
  }

  it('compares a plan that waits with the approved one, attribute by attribute', async () => {
    const number = await propose('first')
    await bob.page.goto(`${world.url}/r/shop/mr/${number}`)
    await act(bob, 'Approve')
    await writeFile(join(world.directory, 'outside'), 'two')
    await ada.page.goto(`${world.url}/r/shop/mr/${number}`)
    await act(ada, 'Merge')
    const waiting = await until(
      () => runs('state=awaiting_approval'),
      ({ length }) => length === 2,
      PATIENCE_MS,
    )
    const { id } = waiting.find(({ stack }: { stack: string }) => stack === 'production/grow')
    await bob.page.goto(`${world.url}/r/shop/runs/${id}`)
    await bob.page.getByText('This plan is another one than was approved:').waitFor()
    const compared = bob.page.locator('section').filter({ hasText: 'Compared with the approved plan' })
    await compared.first().getByText('Planned otherwise than in the approved plan: 1').waitFor()
    const pair = compared.first().getByRole('listitem').filter({ hasText: 'job.grow' }).first()
    expect(await pair.innerText()).toMatch(/one[^]*two/)
  })

  it('approves many that wait, says of each before whether it can be, and leaves alone what destroys', async () => {
    await bob.page.goto(`${world.url}/r/shop/runs?state=awaiting_approval`)
    await bob.page.getByRole('main').getByRole('button', { name: 'Approve all 2' }).click()
    const dialog = bob.page.getByRole('dialog')
    const lines = (await dialog.getByRole('listitem').allInnerTexts()).map((text) => text.split('\n'))
    expect(Object.fromEntries(lines.map(([name, can]) => [name!.split(' ')[1], can]))).toEqual({
      'production/grow': 'can be approved',
      'production/shrink': 'it destroys something: look at it on its own page',
    })
    await dialog.getByRole('button', { name: 'Approve 1' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await until(
      () => runs('kind=deploy&state=succeeded'),
      (ended) => ended.some(({ stack }: { stack: string }) => stack === 'production/grow'),
      PATIENCE_MS,
    )
    expect(await runs('state=awaiting_approval')).toHaveLength(1)
  })

  it('says on the page of a stack what its definition allows', async () => {
    await bob.page.goto(`${world.url}/r/shop/stacks/production/grow`)
    await bob.page.getByText('Its plans show the lines around secrets').waitFor()
  })

  it('adds a file in the browser and shows its plan, and overwrites none unseen', async () => {
    await world.push('second', { 'README.md': '# shop\n' })
    const number = await propose('second')
    const { page } = ada
    await page.goto(`${world.url}/r/shop/mr/${number}?tab=files`)
    await page.getByRole('button', { name: 'Add a file' }).click()
    const form = page.getByRole('form', { name: 'Add a file' })
    const name = form.getByRole('textbox', { name: 'Path from the root of the repository' })
    await name.fill('web/index.html')
    await form.getByRole('textbox', { name: 'Content of the new file' }).fill('<h1>New</h1>\n')
    await form.getByRole('button', { name: 'Commit to second' }).click()
    await form.getByText('the branch has a file of that name').waitFor()
    await name.fill('web/new.html')
    await form.getByRole('button', { name: 'Commit to second' }).click()
    await page.getByText('<h1>New</h1>').first().waitFor()
    expect(await page.getByText('This changed while you were looking').count()).toBe(0)
  })

  if (terraform)
    it('tells what each version of a state has changed', async () => {
      await world.push('third', { 'dns/main.tf': dns('two') })
      const number = await propose('third')
      await world.shop('POST', `/merge-requests/${number}/merge?bypass`, { squash: false, bypassReason: 'to see it' })
      await until(
        () => world.shop('GET', '/state?stack=production/dns').then(({ body }) => body.versions),
        ({ length }) => length > 1,
        PATIENCE_MS,
      )
      await bob.page.goto(`${world.url}/r/shop/stacks/production/dns`)
      await bob.page.getByRole('list', { name: 'Versions of the state' }).waitFor()
      await bob.page
        .getByRole('button', { name: /^What version \d+ changed$/ })
        .first()
        .click()
      await bob.page.getByText('terraform_data.record').first().waitFor()
    })

  it('marks a damaged repository on each of its pages', async () => {
    const { id } = (await world.request('GET', '/api/v1/repositories/shop')).body
    await world.away(() => truncate(join(world.directory, 'data', 'repositories', `${id}.git`, 'HEAD'), 0))
    for (const address of ['', '/mr', '/runs', '/stacks/production/web']) {
      let refused = 0
      const count = (answer: { status(): number }) => void (answer.status() === 503 && refused++)
      bob.page.on('response', count)
      await bob.page.goto(`${world.url}/r/shop${address}`)
      await bob.page.getByRole('alert').getByText('This repository is damaged and not served').waitFor()
      await bob.page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' })
      // What is refused is not asked for again and again: thirty other answers are time enough to see that.
      for (let other = 0; other < 30; other++) await bob.page.evaluate("fetch('/api/v1/session').then(String)")
      bob.page.off('response', count)
      expect({ address, often: refused > 6 }).toEqual({ address, often: false })
    }
    await bob.page
      .getByRole('combobox', { name: 'Repository' })
      .getByText('shop (damaged)')
      .waitFor({ state: 'attached' })
  })

  it('left no complaint in any page', () => {
    expect([...ada.complaints, ...bob.complaints]).toEqual([])
  })
})
