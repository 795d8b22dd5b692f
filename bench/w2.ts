import { join } from 'node:path'
import { buildWeb, startBrowser } from '../test/browser/browser.ts'
import { findTool } from '../test/tools.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, comparePairs, median, round, skip } from './harness.ts'
import { startEmptyPage } from './w1/empty-page.ts'
import { FILES, LOG_LINES, PLANS, startLarge } from './w1/servers.ts'
import { usePage } from './w1/use.ts'
import { logIn, type Visit, visitor } from './w1/visits.ts'

/** A fifth of a second without a new frame, throttled, is what people call a stutter. */
const AIM = { frameMs: 200 }
/** Each opens the largest pages there are, slowed down: more of them say no more. */
const MOST_PAIRS = 3
const n = (count: number): string => count.toLocaleString('en')

/** The largest merge request and the longest log, against an empty React page. */
export const w2: Benchmark = {
  id: 'W2',
  title: `a merge request of ${n(FILES)} files and ${PLANS} plans, and a log of ${n(LOG_LINES)} lines, in Chromium at 4x CPU throttling; against an empty React page`,
  aim: `no ${AIM.frameMs} ms without a frame while one scrolls`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const chromium = findTool('chromium')
  if (chromium === null) return skip(options, 'chromium: npm run tools')
  buildWeb()
  const empty = await startEmptyPage(options.directory)
  const large = await startLarge(join(options.directory, 'large'))
  const browser = await startBrowser(chromium.path)
  try {
    const cookies = await logIn(browser, await large.linkFor('admin'))
    const bare: Visit = { name: 'empty React page', url: empty.url, shows: 'h1', cookies: [] }
    const visit = (name: string, path: string, shows: string): Visit => ({
      name,
      url: large.url + path,
      shows,
      cookies,
    })
    const pages = {
      mergeRequest: { ...visit('merge request', large.mr, 'h2'), over: 'h2' },
      files: { ...visit('its files', `${large.mr}?tab=files`, 'diffs-container'), over: 'diffs-container' },
      log: { ...visit('log', large.run, '[role=log] [aria-label^="Address of line"]'), over: '[role=log]' },
    }
    const details: { [name: string]: number } = {}
    let worst = { cpu: 0, wall: 0, frameMs: 0 }
    const pairs = Math.min(options.pairs, MOST_PAIRS)
    for (const [page, { over, ...visited }] of Object.entries(pages)) {
      const report = await comparePairs(visitor(browser, visited), visitor(browser, bare), {
        ...options,
        pairs,
        warmUp: false,
      })
      const { frameMs, taskMs } = await usePage(browser, visited, over)
      const [cpu, wall] = [round(report.cpu.median), round(report.wall.median)]
      options.print(
        `${visited.name}: ${cpu} times the CPU of the empty page; while one scrolls ${frameMs} ms without a frame at most`,
      )
      Object.assign(details, {
        [`${page}ContentMs`]: Math.round(median(report.ours.map((each) => each.wallSeconds)) * 1_000),
        [`${page}Cpu`]: cpu,
        [`${page}FrameMs`]: frameMs,
        [`${page}TaskMs`]: taskMs,
      })
      worst = {
        cpu: Math.max(worst.cpu, cpu),
        wall: Math.max(worst.wall, wall),
        frameMs: Math.max(worst.frameMs, frameMs),
      }
    }
    const floor = await usePage(browser, bare, 'h1')
    details['emptyFrameMs'] = floor.frameMs
    const { cpu: cpuRatio, wall: wallRatio, frameMs } = worst
    return { cpuRatio, wallRatio, met: frameMs < AIM.frameMs, pairs, details }
  } finally {
    await browser.close()
    empty.close()
    await large.close()
  }
}
