import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { buildWeb, startBrowser } from '../test/browser/browser.ts'
import { findTool } from '../test/tools.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, comparePairs, median, round, skip } from './harness.ts'
import { startEmptyPage } from './w1/empty-page.ts'
import { STACKS, startEstate } from './w1/servers.ts'
import { usePage } from './w1/use.ts'
import { firstLoad, logIn, type Visit, visitor } from './w1/visits.ts'

const AIM = { scriptBytes: 230_000, contentMs: 1_000, actMs: 100 }
/** A stack that stands far down the list and is found by its name only. */
const NAME = 'service-3210'
const LETTERS_MS = 30

/** What the largest page of everyday costs a browser, against a page with nothing but React, a heading and a field. */
export const w1: Benchmark = {
  id: 'W1',
  title: `the overview of ${STACKS.toLocaleString('en')} stacks in Chromium at 4x CPU throttling, against an empty React page`,
  aim: `content in < ${AIM.contentMs} ms, < ${AIM.scriptBytes / 1_000} KB of packed script, each act painted in < ${AIM.actMs} ms`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const chromium = findTool('chromium')
  if (chromium === null) return skip(options, 'chromium: npm run tools')
  buildWeb()
  const empty = await startEmptyPage(options.directory)
  const estate = await startEstate(join(options.directory, 'estate'))
  const browser = await startBrowser(chromium.path)
  try {
    const cookies = await logIn(browser, await estate.linkFor('admin'))
    const bare: Visit = { name: 'empty React page', url: empty.url, shows: 'h1', cookies: [] }
    const overview: Visit = { name: 'overview', url: estate.url + estate.path, shows: '[data-row]', cookies }
    const report = await comparePairs(visitor(browser, overview), visitor(browser, bare), options)
    const contentMs = (runs: typeof report.ours) => Math.round(median(runs.map((each) => each.wallSeconds)) * 1_000)
    const scriptBytes = await firstLoad(browser, overview)
    const search = async (page: Page): Promise<void> => {
      await page.getByRole('searchbox').first().click()
      await page.keyboard.type(NAME, { delay: LETTERS_MS })
    }
    const used = await usePage(browser, overview, '[data-row]', async (page) => {
      await search(page)
      await page.getByText(NAME).first().waitFor()
      await page.getByRole('searchbox').first().fill('')
      await page.getByRole('button', { name: 'Failed' }).click()
      await page.keyboard.press('j')
      await page.getByRole('button', { name: 'Failed' }).click()
    })
    const floor = await usePage(browser, bare, 'h1', search)
    options.print(`traces: ${used.trace}, ${floor.trace}`)
    const ours = contentMs(report.ours)
    return {
      cpuRatio: round(report.cpu.median),
      wallRatio: round(report.wall.median),
      met: ours < AIM.contentMs && scriptBytes < AIM.scriptBytes && used.actMs < AIM.actMs,
      pairs: report.pairs,
      details: {
        contentMs: ours,
        emptyContentMs: contentMs(report.floor),
        scriptBytes,
        emptyScriptBytes: await firstLoad(browser, bare),
        ...named('', used),
        ...named('empty', floor),
      },
    }
  } finally {
    await browser.close()
    empty.close()
    await estate.close()
  }
}

const named = (prefix: string, { trace: _trace, ...numbers }: Awaited<ReturnType<typeof usePage>>) =>
  Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [
      prefix === '' ? name : `${prefix}${name[0]!.toUpperCase()}${name.slice(1)}`,
      value,
    ]),
  )
