import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Browser, CDPSession, Locator, Page } from 'playwright-core'
import { median } from '../harness.ts'
import { open, PATIENCE_MS, taskSeconds, THROTTLE, type Visit } from './visits.ts'

const WHEELS = 30
/** An act is done so often, and the median counts: a machine that does other things too holds one up now and then. */
const TIMES = 6
/** What follows an act, such as an answer of the server, is over by then; each act is measured alone. */
export const REST_MS = 700
/** Kept, so that what was slow can be looked at: `chrome://tracing`, or the performance panel of the developer tools. */
const TRACES = join(import.meta.dirname, '..', '..', '.trueup', 'bench')
const CATEGORIES = ['toplevel', 'devtools.timeline', 'blink.user_timing', 'v8.execute']

/** Counts, from before the page's own script on, what the browser's Event Timing tells of each act, and the frames. */
const WATCH = `globalThis.watched = { events: [], frame: 0 }
new PerformanceObserver((list) => {
  for (const { duration, interactionId } of list.getEntries()) if (interactionId > 0) watched.events.push({ duration })
}).observe({ type: 'event', durationThreshold: 16, buffered: true })
let last
const frame = (now) => { if (last !== undefined) watched.frame = Math.max(watched.frame, now - last); last = now; requestAnimationFrame(frame) }
globalThis.watchFrames = () => { last = undefined; watched.frame = 0; requestAnimationFrame(frame) }`

interface Watched {
  /** Milliseconds from the act to its paint. */
  events: { duration: number }[]
  frame: number
}

/**
 * Something that a person does. It is given the page and a way to press what a locator finds: where that is was found before,
 * since looking for it is work of the page's thread too.
 */
export interface Act {
  name: string
  presses?: (page: Page) => Locator
  does(page: Page, press: () => Promise<void>): Promise<void>
}

/** What a page is like to use. Milliseconds; all but CPU times are throttled. */
export interface Use {
  /** By act: from it to its paint (what web vitals call INP), and what the page's thread was busy with it and what followed. */
  acts: { [name: string]: { ms: number; cpuMs: number } }
  /** The longest of them. */
  actMs: number
  /** The longest task of the main thread from the first act on. */
  taskMs: number
  /** The longest time between two frames while the wheel turns. */
  frameMs: number
  trace: string
}

/** Opens it, does each act, turns the wheel over `over`, and keeps a trace of all. */
export async function usePage(
  browser: Browser,
  { name, url, shows, cookies }: Visit,
  over: string,
  acts: readonly Act[] = [],
): Promise<Use> {
  const { page, session, close } = await open(browser, cookies)
  await page.addInitScript(WATCH)
  await page.goto(url)
  await page.locator(shows).first().waitFor({ timeout: PATIENCE_MS })
  await page.waitForTimeout(REST_MS)
  const trace = join(TRACES, `${name.replaceAll(' ', '-')}.json`)
  mkdirSync(dirname(trace), { recursive: true })
  await browser.startTracing(page, { path: trace, categories: CATEGORIES })
  const found: Use['acts'] = {}
  for (const act of acts) found[act.name] = await measureAct(page, session, act)
  const frameMs = await turnWheel(page, over)
  const taskMs = longestTask(await browser.stopTracing())
  await close()
  const actMs = Math.max(0, ...Object.values(found).map(({ ms }) => ms))
  return { acts: found, actMs, taskMs, frameMs, trace }
}

async function measureAct(page: Page, session: CDPSession, act: Act): Promise<{ ms: number; cpuMs: number }> {
  const [waits, busy]: [number[], number[]] = [[], []]
  for (let time = 0; time < 2 * TIMES; time++) {
    const isThrottled = time < TIMES
    await session.send('Emulation.setCPUThrottlingRate', { rate: isThrottled ? THROTTLE : 1 })
    const box = await act.presses?.(page).first().boundingBox()
    await page.evaluate('watched.events.length = 0')
    const before = await taskSeconds(session)
    await act.does(page, () =>
      page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2),
    )
    await page.waitForTimeout(REST_MS)
    if (!isThrottled) busy.push((await taskSeconds(session)) - before)
    const { events } = await page.evaluate<Watched>('watched')
    if (isThrottled) waits.push(Math.max(0, ...events.map(({ duration }) => duration)))
  }
  await session.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE })
  return { ms: Math.round(median(waits)), cpuMs: Math.round(median(busy) * 1_000) }
}

async function turnWheel(page: Page, over: string): Promise<number> {
  await page.locator(over).first().hover()
  await page.evaluate('watchFrames()')
  for (let turn = 0; turn < WHEELS; turn++) {
    await page.mouse.wheel(0, turn < WHEELS / 2 ? 900 : -900)
    await page.evaluate('new Promise(requestAnimationFrame)')
  }
  return Math.round((await page.evaluate<Watched>('watched')).frame)
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
  return Math.round(tasks.reduce((longest, { dur = 0 }) => Math.max(longest, dur), 0) / 1_000)
}
