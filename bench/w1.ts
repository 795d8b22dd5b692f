import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { buildWeb, startBrowser } from '../test/browser/browser.ts'
import { findTool } from '../test/tools.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, comparePairs, median, round, skip } from './harness.ts'
import { startEmptyPage } from './w1/empty-page.ts'
import { STACKS, startEstate } from './w1/servers.ts'
import { REST_MS, type Act, type Use, usePage } from './w1/use.ts'
import { firstLoad, logIn, type Visit, visitor } from './w1/visits.ts'

const AIM = { scriptBytes: 230_000, contentMs: 1_000, actMs: 100 }
/** A stack that stands far down the list and is found by its name only. */
const NAME = 'service-3210'
const LETTERS_MS = 30
/** What 10,000 stacks are measured beside, too: a page must not cost more because there are more. */
const FEW = 100

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
  const few = await startEstate(join(options.directory, 'few'), FEW)
  const browser = await startBrowser(chromium.path)
  try {
    const cookies = await logIn(browser, await estate.linkFor('admin'))
    const bare: Visit = { name: 'empty React page', url: empty.url, shows: 'h1', cookies: [] }
    const overview: Visit = { name: 'overview', url: estate.url + estate.path, shows: '[data-row]', cookies }
    const report = await comparePairs(visitor(browser, overview), visitor(browser, bare), options)
    const ofFew = { ...overview, name: `overview of ${FEW} stacks`, url: few.url + few.path }
    const fewCookies = await logIn(browser, await few.linkFor('admin'))
    const beside = await comparePairs(
      visitor(browser, overview),
      visitor(browser, { ...ofFew, cookies: fewCookies }),
      options,
    )
    const contentMs = (runs: typeof report.ours) => Math.round(median(runs.map((each) => each.wallSeconds)) * 1_000)
    const scriptBytes = await firstLoad(browser, overview)
    const used = await usePage(browser, overview, '[data-row]', [...ACTS, ...OF_OVERVIEW])
    const floor = await usePage(browser, bare, 'h1', ACTS)
    for (const [name, { ms, cpuMs }] of Object.entries(used.acts)) {
      const its = floor.acts[name]
      options.print(`${name}: ${ms} ms, ${cpuMs} ms of CPU${its ? ` (empty page: ${its.ms}, ${its.cpuMs})` : ''}`)
    }
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
        fewContentMs: contentMs(beside.floor),
        fewCpuRatio: round(beside.cpu.median),
        scriptBytes,
        emptyScriptBytes: await firstLoad(browser, bare),
        ...numbersOf('', used),
        ...numbersOf('empty', floor),
        actRatio: round(used.actMs / floor.actMs),
      },
    }
  } finally {
    await browser.close()
    empty.close()
    await estate.close()
    await few.close()
  }
}

/** Acts that the empty page has as well. */
const ACTS: readonly Act[] = [
  { name: 'press', presses: (page) => page.getByRole('button', { name: 'Failed' }), does: (_page, press) => press() },
  {
    name: 'type',
    presses: (page) => page.getByRole('searchbox'),
    async does(page, press) {
      await press()
      await page.keyboard.type(NAME, { delay: LETTERS_MS })
    },
  },
  { name: 'clear', does: (page) => page.getByRole('searchbox').first().fill('') },
]
const OF_OVERVIEW: readonly Act[] = [
  { name: 'leave', presses: (page) => page.getByRole('heading'), does: (_page, press) => press() },
  { name: 'next', does: (page) => page.keyboard.press('j') },
  { name: 'failure', does: (page) => page.keyboard.press('f') },
  { name: 'account', presses: (page) => page.getByRole('button', { name: 'admin' }), does: thenEscape },
  { name: 'palette', does: (page) => thenEscape(page, () => page.keyboard.press('Control+k')) },
]

async function thenEscape(page: Page, press: () => Promise<void>): Promise<void> {
  await press()
  // The first time its code is fetched; a key that comes before it is there closes nothing.
  await page.waitForTimeout(REST_MS)
  await page.keyboard.press('Escape')
}

const upper = (name: string): string => name[0]!.toUpperCase() + name.slice(1)

function numbersOf(prefix: string, { acts, actMs, taskMs, frameMs }: Use): { [name: string]: number } {
  const numbers: { [name: string]: number } = { actMs, taskMs, frameMs }
  for (const [name, { ms, cpuMs }] of Object.entries(acts))
    Object.assign(numbers, { [`${name}Ms`]: ms, [`${name}CpuMs`]: cpuMs })
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [prefix === '' ? name : prefix + upper(name), value]),
  )
}
