import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CLIENT, startTestProvider, type TestProvider } from '../../src/server/sso/testing/provider.ts'
import { type RunningServer, startServer } from '../../src/server/start.ts'
import { type GiteaDouble, startGiteaDouble } from '../forges/gitea/double.ts'
import { type GitHubDouble, startGitHubDouble } from '../forges/github/double.ts'
import { describeWithTool } from '../tools.ts'
import { violationsOf } from './axe.ts'
import { buildWeb, openWindow, startBrowser, type Window } from './browser.ts'

describeWithTool('chromium', 'settings of a server, from its first visit on', ({ path }) => {
  let dataDir: string
  let server: RunningServer
  let gitea: GiteaDouble
  let github: GitHubDouble
  let provider: TestProvider
  let browser: Browser
  let root: Window
  beforeAll(async () => {
    buildWeb()
    dataDir = await mkdtemp(join(tmpdir(), 'trueup-settings-'))
    server = await startServer({ dataDir: join(dataDir, 'data'), port: 0, logLevel: 'silent', runnerSlots: 0 })
    gitea = await startGiteaDouble()
    github = await startGitHubDouble()
    for (const { git } of [gitea, github]) {
      const tree = await git.git('hash-object', '-t', 'tree', '-w', '/dev/null')
      await git.move('main', await git.git('commit-tree', tree, '-m', 'Begin'))
    }
    provider = await startTestProvider([`${server.url}/api/v1/login/company/callback`])
    browser = await startBrowser(path)
    root = await openWindow(browser, server.loginLink()!)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await Promise.all([gitea?.close(), github?.close(), provider?.stop()])
    await rm(dataDir, { recursive: true, force: true })
  })
  const dialog = () => root.page.getByRole('dialog')
  /** A hint below a field is read with its name. */
  const field = (name: string) => dialog().getByLabel(new RegExp(`^${name}`))
  const open = (name: string) => root.page.getByRole('main').getByRole('button', { name, exact: true }).click()
  const confirm = async (name: string) => {
    await dialog().getByRole('button', { name, exact: true }).click()
    await dialog().waitFor({ state: 'hidden' })
  }
  const minded = async () => [...(await violationsOf(root.page, 'light')), ...(await violationsOf(root.page, 'dark'))]

  it('connects a repository at the first visit, and names what is missing before anything is written', async () => {
    const { page } = root
    gitea.state.permissions.set('trueup-bot', 'read')
    await open('Connect a repository')
    await field('Address of its page').fill(`${gitea.address}/owner/shop`)
    await field('Token').fill('token-of-trueup-bot')
    expect(await minded()).toEqual([])
    await dialog().getByRole('button', { name: 'Connect a repository' }).click()
    await dialog().getByRole('alert').getByText('trueup-bot may not: write').waitFor()
    expect(gitea.state.hooks).toEqual([])
    gitea.state.permissions.set('trueup-bot', 'admin')
    await confirm('Connect a repository')
    await page.waitForURL(`${server.url}/r/shop`)
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    expect(gitea.state.hooks).toHaveLength(1)
  })

  it('shows how a connection is, rotates its token and takes it away', async () => {
    const { page } = root
    await page.goto(`${server.url}/settings`)
    await page.getByText('there: what happens is seen at once').waitFor()
    await page.getByText('polling every 1 min').waitFor()
    expect(await minded()).toEqual([])
    gitea.state.users.find(({ login }) => login === 'trueup-bot')!.token = 'a-newer-one'
    await open('Look now')
    await confirm('Look now')
    await page.getByRole('alert').getByText('FORGE_TOKEN').waitFor()
    await open('Rotate')
    await field('Token').fill('a-newer-one')
    await confirm('Rotate')
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await open('Disconnect')
    await confirm('Disconnect')
    await page.getByRole('button', { name: 'Rotate' }).waitFor({ state: 'detached' })
    expect(gitea.state.hooks).toEqual([])
  })

  it('connects by a GitHub App, and says how many requests are left', async () => {
    const { page } = root
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    github.state.users.push({ id: 77, login: 'trueup-app[bot]', token: 'nobody has this' })
    github.state.permissions.set('trueup-app[bot]', 'write')
    const permissions = { contents: 'write', pull_requests: 'write', statuses: 'write', metadata: 'read' }
    github.state.app = { id: 4321, slug: 'trueup-app', publicKey, permissions, tokens: [] }
    const file = join(dataDir, 'app.pem')
    await writeFile(file, privateKey)
    await open('Connect a repository')
    await field('Address of its page').fill(`${github.address}/owner/shop`)
    await field('Trueup is there as').selectOption('app')
    await field('Number of the App').fill('4321')
    await field('Its private key').setInputFiles(file)
    await field('Name here').fill('elsewhere')
    await confirm('Connect a repository')
    await page.getByLabel('Repository of these settings').selectOption('elsewhere')
    await page.getByText('4,200 of 5,000 left').waitFor()
    await page.getByText('is no administrator of').waitFor()
    expect(await page.content()).not.toContain('BEGIN RSA')
  })

  it('sets up a login provider and what its groups give', async () => {
    const { page } = root
    await page.getByRole('link', { name: 'Login providers' }).click()
    await open('Add a provider')
    await field('Name').fill('company')
    await field('Issuer').fill(provider.issuer)
    await field('Client ID').fill(CLIENT.id)
    await field('Client secret').fill(CLIENT.secret)
    await field('Group of rule 1').fill('payments')
    await field('Roles of rule 1').fill('shop: king')
    await dialog().getByText('“shop: king” is not').waitFor()
    await field('Roles of rule 1').fill('shop: maintainer')
    await dialog().getByRole('button', { name: 'Add a rule' }).click()
    await field('Group of rule 2').fill('admins')
    await field('Administrator').last().check()
    expect(await minded()).toEqual([])
    await confirm('Add a provider')
    await page.getByText('maintainer in shop').waitFor()
    await page.getByText(`${server.url}/api/v1/login/company/callback`).waitFor()
    await open('Change')
    await dialog().getByRole('button', { name: 'Remove rule 2' }).click()
    await confirm('Change')
    await page.getByText('administrators of this server').waitFor({ state: 'detached' })

    const stranger = await (await browser.newContext()).newPage()
    await stranger.goto(`${server.url}/login`)
    await stranger.getByRole('button', { name: 'Log in with company' }).waitFor()
    await stranger.context().close()
    await open('Remove')
    await confirm('Remove')
    await page.getByText('No login providers').waitFor()
  })

  it('shows the keys that vouch for runs, and replaces them', async () => {
    const { page } = root
    await page.getByRole('link', { name: 'Identity of runs' }).click()
    const rows = page.getByRole('region', { name: 'keys' }).getByRole('row')
    await rows.first().waitFor()
    const before = await rows.count()
    await open('Replace the key')
    await confirm('Replace the key')
    await rows.nth(before).waitFor()
    expect(await rows.count()).toBeGreaterThan(before)
    expect(root.complaints).toEqual([])
  })
})
