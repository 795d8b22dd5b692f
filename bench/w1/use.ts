import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { open, PATIENCE_MS, type Visit } from './visits.ts'

const WHEELS = 30
/** Kept, so that what was slow can be looked at: `chrome://tracing`, or the performance panel of the developer tools. */
const TRACES = join(import.meta.dirname, '..', '..', '.trueup', 'bench')
const CATEGORIES = ['toplevel', 'devtools.timeline', 'blink.user_timing', 'v8.execute']

/** Counts, from before the page's own script on, what the browser's Event Timing tells of each act, and the frames. */
const WATCH = `globalThis.watched = { events: [], frame: 0 }
new PerformanceObserver((list) => {
  for (const { name, duration, startTime, processingStart, processingEnd, interactionId } of list.getEntries())
    if (interactionId > 0) watched.events.push({ name, duration, waited: processingStart - startTime, own: processingEnd - processingStart })
}).observe({ type: 'event', durationThreshold: 16, buffered: true })
let last
const frame = (now) => { if (last !== undefined) watched.frame = Math.max(watched.frame, now - last); last = now; requestAnimationFrame(frame) }
globalThis.watchFrames = () => { last = undefined; watched.frame = 0; requestAnimationFrame(frame) }`

interface Watched {
  /** Milliseconds: from the act to its paint, before the page's own code began, and within it. */
  events: { name: string; duration: number; waited: number; own: number }[]
  frame: number
}

/** What a page is like to use. Milliseconds, throttled. */
export interface Use {
  /** The longest time from an act to its paint: what web vitals call INP, of all acts here. */
  actMs: number
  /** The longest time that the page's own code took of it. */
  ownMs: number
  /** The longest task of the main thread from the first act on. */
  taskMs: number
  /** The longest time between two frames while the wheel turns. */
  frameMs: number
  trace: string
}

/** Opens it, does `act`, turns the wheel over `over`, and keeps a trace of both. */
export async function usePage(
  browser: Browser,
  { name, url, shows, cookies }: Visit,
  over: string,
  act: (page: Page) => Promise<void> = async () => {},
): Promise<Use> {
  const { page, close } = await open(browser, cookies)
  await page.addInitScript(WATCH)
  await page.goto(url)
  await page.locator(shows).first().waitFor({ timeout: PATIENCE_MS })
  await page.waitForLoadState('networkidle').catch(() => {})
  const trace = join(TRACES, `${name.replaceAll(' ', '-')}.json`)
  mkdirSync(dirname(trace), { recursive: true })
  await browser.startTracing(page, { path: trace, categories: CATEGORIES })
  await act(page)
  await page.locator(over).first().hover()
  await page.evaluate('watchFrames()')
  for (let turn = 0; turn < WHEELS; turn++) {
    await page.mouse.wheel(0, turn < WHEELS / 2 ? 900 : -900)
    await page.evaluate('new Promise(requestAnimationFrame)')
  }
  const { events, frame } = await page.evaluate<Watched>('watched')
  const taskMs = longestTask(await browser.stopTracing())
  await close()
  const longest = (of: 'duration' | 'own') => Math.round(Math.max(0, ...events.map((event) => event[of])))
  return { actMs: longest('duration'), ownMs: longest('own'), taskMs, frameMs: Math.round(frame), trace }
}

interface TraceEvent {
  name: string
  pid: number
  tid: number
  dur?: number
  args: { name?: string }
}

/** Of the main threads of pages in a trace; milliseconds. */
function longestTask(trace: Buffer): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }
  const threads = traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
  const isMain = ({ pid, tid }: TraceEvent): boolean => threads.some((each) => each.pid === pid && each.tid === tid)
  const tasks = traceEvents.filter((event) => event.name.endsWith('RunTask') && isMain(event))
  return Math.round(Math.max(0, ...tasks.map(({ dur = 0 }) => dur)) / 1_000)
}
