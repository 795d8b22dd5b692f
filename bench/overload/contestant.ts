import { readFileSync, writeSync } from 'node:fs'
import { Connection, type Outcome } from './connection.ts'
import type { Load, LoadReport } from './load.ts'

/**
 * Clients that do not wait for each other: requests are sent by the clock, however the last ones were answered, each on a
 * connection that is free or on a new one. Each gives up after its patience, as a person does.
 */
const { url, tokens, paths, perSecond, seconds, patienceMs } = JSON.parse(readFileSync(0, 'utf8')) as Load
const { hostname, port } = new URL(url)
const requests = tokens.map((token) =>
  paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`),
)
const report: LoadReport = {
  sent: 0,
  useful: 0,
  refused: 0,
  late: 0,
  failed: 0,
  milliseconds: [],
  connections: 0,
  lagMs: 0,
}

interface Asked {
  at: number
  connection: Connection
  over: boolean
}

const free: Connection[] = []
/** In the order in which they were sent: all have the same patience, so the first is the first to give up. */
const waiting: Asked[] = []
let first = 0

function ask(number: number): void {
  let connection = free.pop()
  while (connection && !connection.usable) connection = free.pop()
  if (!connection) {
    connection = new Connection(hostname, Number(port))
    report.connections++
  }
  const asked: Asked = { at: performance.now(), connection, over: false }
  waiting.push(asked)
  report.sent++
  const request = requests[number % tokens.length]![Math.floor(number / tokens.length) % paths.length]!
  connection.ask(request, (outcome) => settle(asked, outcome))
}

function settle(asked: Asked, outcome: Outcome): void {
  asked.over = true
  const took = performance.now() - asked.at
  if (outcome === 'broken') report.failed++
  else {
    free.push(asked.connection)
    if (outcome.status === 429 || outcome.status === 503) report.refused++
    else if (outcome.status !== 200) report.failed++
    else if (took > patienceMs) report.late++
    else {
      report.useful++
      report.milliseconds.push(took)
    }
  }
}

/** After what has come was read: who was answered while this process was busy is not late. */
function giveUp(): void {
  const now = performance.now()
  for (; first < waiting.length; first++) {
    const asked = waiting[first]!
    if (asked.over) continue
    if (now - asked.at < patienceMs) return
    asked.over = true
    asked.connection.leave()
    report.late++
  }
}

const begun = performance.now()
const period = 1000 / perSecond
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 1))
for (let elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - begun) {
  for (const due = Math.floor(elapsed / period); report.sent < due; ) {
    report.lagMs = Math.max(report.lagMs, elapsed - (report.sent + 1) * period)
    ask(report.sent)
  }
  giveUp()
  await turn()
}
while (first < waiting.length) {
  giveUp()
  await turn()
}
for (const connection of free) connection.leave()
const text = JSON.stringify(report)
for (let at = 0; at < text.length; ) at += writeSync(1, text.slice(at))
