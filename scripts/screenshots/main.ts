/**
 * `npm run screenshots [-- --out DIRECTORY] [--only PART]` (`--only many`: the 10,000 stacks): every page of the web application with real content, light,
 * dark and on a phone, to be looked at. Ends with an error when a page complains, fails, or is wider than its window.
 */
import { mkdir, mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser } from 'playwright-core'
import { startEstate } from '../../bench/w1/servers.ts'
import { startServer } from '../../src/server/start.ts'
import { ask } from '../../src/server/testing/app.ts'
import { buildWeb, startBrowser } from '../../test/browser/browser.ts'
import { requireTool } from '../../test/tools.ts'
import { startContent } from './content.ts'
import { pagesOf } from './pages.ts'
import { LOOKS, shoot, type Look } from './shoot.ts'

const { values } = parseArgs({
  options: { out: { type: 'string', default: '.trueup/screenshots' }, only: { type: 'string', default: '' } },
})

const each = async (take: (look: Look) => Promise<string[]>): Promise<string[]> => {
  const wrong: string[] = []
  for (const look of Object.keys(LOOKS) as Look[]) wrong.push(...(await take(look)))
  return wrong
}

async function ofFirstVisit(browser: Browser, out: string): Promise<string[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trueup-screenshots-'))
  const server = await startServer({ dataDir, port: 0, logLevel: 'silent', runnerSlots: 0 })
  try {
    const shots = [
      { name: 'first-visit', path: '/', shows: 'repository' },
      { name: 'first-workers', path: '/workers', shows: 'Enrol a worker' },
    ]
    return await each((look) => shoot(browser, server.loginLink()!, shots, look, out))
  } finally {
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function ofDamage(browser: Browser, out: string): Promise<string[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trueup-screenshots-'))
  const options = { dataDir, port: 0, logLevel: 'silent', runnerSlots: 0 } as const
  let server = await startServer(options)
  try {
    const token = (await readFile(server.adminTokenFile!, 'utf8')).trim()
    const { id } = (await ask(server.url, token, 'POST', '/api/v1/repositories', { name: 'shop' })).body
    await server.close()
    await truncate(join(dataDir, 'repositories', `${id}.git`, 'HEAD'), 0)
    server = await startServer(options)
    const shots = [{ name: 'damaged', path: '/r/shop', shows: 'REPOSITORY_UNUSABLE' }]
    return await each((look) => shoot(browser, server.loginLink()!, shots, look, out))
  } finally {
    await server.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function ofContent(browser: Browser, out: string): Promise<string[]> {
  const content = await startContent()
  try {
    const shots = pagesOf(content).filter(({ name }) => name.includes(values.only))
    return await each(async (look) => shoot(browser, await content.linkFor('ada'), shots, look, out))
  } finally {
    await content.server.close()
  }
}

/** 10,000 stacks, as one push brings them. */
async function ofMany(browser: Browser, out: string): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-screenshots-'))
  const estate = await startEstate(join(directory, 'estate'))
  try {
    const shots = [
      { name: 'many-overview', path: '/r/shop', shows: 'rows' },
      { name: 'many-overview-by-name', path: '/r/shop?sort=name', shows: 'rows' },
      { name: 'many-found', path: '/r/shop?q=service-32', shows: 'service-3210' },
      { name: 'many-runs', path: '/r/shop/runs', shows: 'Show more' },
      { name: 'many-dependencies', path: '/r/shop/dependencies', shows: 'An arrow leads' },
      { name: 'many-deployments', path: '/r/shop/deployments', shows: 'Deployments' },
    ]
    return await each(async (look) => shoot(browser, await estate.linkFor('admin'), shots, look, out))
  } finally {
    await estate.close()
    await rm(directory, { recursive: true, force: true })
  }
}

async function main(): Promise<number> {
  const out = resolve(values.out)
  await mkdir(out, { recursive: true })
  buildWeb()
  const browser = await startBrowser(requireTool('chromium').path)
  try {
    const parts = [ofFirstVisit, ofDamage, ofContent, ofMany]
    const wanted = values.only === 'many' ? [ofMany] : values.only === '' ? parts : [ofContent]
    const wrong: string[] = []
    for (const part of wanted) wrong.push(...(await part(browser, out)))
    for (const line of wrong) console.error(line)
    console.log(`The pictures are in ${out}`)
    return wrong.length === 0 ? 0 : 1
  } finally {
    await browser.close()
  }
}

process.exitCode = await main()
