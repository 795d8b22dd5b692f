import { join } from 'node:path'
import { buildWeb, startBrowser } from '../test/browser/browser.ts'
import { findTool } from '../test/tools.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, comparePairs, round, skip } from './harness.ts'
import { startEmptyPage } from './w1/empty-page.ts'
import { FILES, LOG_LINES, PLANS, STACKS, startEstate, startLarge } from './w1/servers.ts'
import { firstLoad, logIn, usePage, type Visit, visitor } from './w1/visits.ts'

const AIM = { scriptBytes: 230_000, contentMs: 1_000, keyMs: 100 }
/** A stack that stands far down the list and is found by its name only. */
const NAME = 'service-3210'
const n = (count: number): string => count.toLocaleString('en')

/** What our largest pages cost a browser, against a page with nothing but React in it. */
export const w1: Benchmark = {
  id: 'W1',
  title: `pages in Chromium at 4x CPU throttling: ${n(STACKS)} stacks, ${n(FILES)} files and ${PLANS} plans, ${n(LOG_LINES)} lines of log; against an empty React page`,
  aim: `overview: content in < ${AIM.contentMs} ms, < ${AIM.scriptBytes / 1_000} KB of packed script, a key shown in < ${AIM.keyMs} ms`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const chromium = findTool('chromium')
  if (chromium === null) return skip(options, 'chromium: npm run tools')
  buildWeb()
  const empty = await startEmptyPage(options.directory)
  const estate = await startEstate(join(options.directory, 'estate'))
  const large = await startLarge(join(options.directory, 'large'))
  const browser = await startBrowser(chromium.path)
  try {
    const inEstate = await logIn(browser, await estate.linkFor('admin'))
    const inLarge = await logIn(browser, await large.linkFor('admin'))
    const bare: Visit = { name: 'empty React page', url: empty.url, shows: 'h1', cookies: [] }
    const pages = {
      overview: { name: 'overview', url: estate.url + estate.path, shows: '[data-row]', cookies: inEstate },
      mergeRequest: { name: 'merge request', url: large.url + large.mr, shows: 'h2', cookies: inLarge },
      files: {
        name: 'its files',
        url: `${large.url}${large.mr}?tab=files`,
        shows: 'diffs-container',
        cookies: inLarge,
      },
      log: {
        name: 'log',
        url: large.url + large.run,
        shows: '[role=log] [aria-label^="Address of line"]',
        cookies: inLarge,
      },
    } satisfies { [page: string]: Visit }
    const details: { [name: string]: number } = {}
    const ratios: { [page: string]: { cpu: number; wall: number } } = {}
    for (const [page, visit] of Object.entries(pages)) {
      const report = await comparePairs(visitor(browser, visit), visitor(browser, bare), options)
      details[`${page}ContentMs`] = Math.round(median(report.ours.map((each) => each.wallSeconds)) * 1_000)
      details[`${page}Cpu`] = round(report.cpu.median)
      ratios[page] = { cpu: round(report.cpu.median), wall: round(report.wall.median) }
    }
    details['emptyScriptBytes'] = await firstLoad(browser, bare)
    const scriptBytes = await firstLoad(browser, pages.overview)
    const used = await usePage(browser, pages.overview, '[data-row]', async (page) => {
      await page.getByRole('searchbox').first().click()
      await page.keyboard.type(NAME, { delay: 30 })
      await page.getByText(NAME).first().waitFor()
    })
    const { frameMs: filesFrameMs } = await usePage(browser, pages.files, 'diffs-container')
    const { frameMs: logFrameMs } = await usePage(browser, pages.log, '[role=log]')
    Object.assign(details, { scriptBytes, keyMs: used.keyMs, filesFrameMs, logFrameMs })
    const met = details['overviewContentMs']! < AIM.contentMs && scriptBytes < AIM.scriptBytes && used.keyMs < AIM.keyMs
    const { cpu, wall } = ratios['overview']!
    return { cpuRatio: cpu, wallRatio: wall, met, pairs: options.pairs, details }
  } finally {
    await browser.close()
    empty.close()
    await estate.close()
    await large.close()
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
