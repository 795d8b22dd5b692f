import { Agent, request } from 'node:http'
import { writeSync } from 'node:fs'
import type { Load, LoadReport } from './load.ts'

/**
 * Clients that do not wait for each other: requests are sent by the clock, however the last ones were answered. Each gives up
 * after its patience, as a person does.
 */
const { url, tokens, paths, perSecond, seconds, patienceMs } = JSON.parse(process.argv[2] ?? '') as Load
const agent = new Agent({ keepAlive: true, maxSockets: 2_000 })
const report: LoadReport = { sent: 0, useful: 0, refused: 0, late: 0, failed: 0, milliseconds: [] }
const open = new Set<Promise<void>>()

function ask(at: number): Promise<void> {
  report.sent++
  const begun = performance.now()
  return new Promise((resolve) => {
    let over = false
    const settle = (what: 'useful' | 'refused' | 'late' | 'failed'): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      report[what]++
      if (what === 'useful') report.milliseconds.push(performance.now() - begun)
      resolve()
    }
    const asked = request(`${url}${paths[at % paths.length]!}`, {
      agent,
      headers: { authorization: `Bearer ${tokens[at % tokens.length]!}` },
    })
    const timer = setTimeout(() => {
      settle('late')
      asked.destroy()
    }, patienceMs)
    asked.on('error', () => settle('failed'))
    asked.on('response', (response) => {
      const { statusCode = 0 } = response
      response.on('error', () => settle('failed'))
      response.on('end', () =>
        settle(statusCode === 200 ? 'useful' : statusCode === 429 || statusCode === 503 ? 'refused' : 'failed'),
      )
      response.resume()
    })
    asked.end()
  })
}

const begun = performance.now()
for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - begun) {
  for (const due = Math.floor((elapsed / 1000) * perSecond); report.sent < due; ) {
    const one = ask(report.sent)
    open.add(one)
    void one.finally(() => open.delete(one))
  }
  await new Promise((resolve) => setTimeout(resolve, 2))
}
await Promise.all(open)
agent.destroy()
writeSync(1, JSON.stringify(report))
