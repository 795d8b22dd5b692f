import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Logger } from '../../logging.ts'
import type { StandaloneSettings } from './config.ts'
import type { Ledger } from './ledger.ts'
import { metricsText } from './metrics.ts'
import { type AgentStatus, statusOf } from './overview.ts'

/** In the agent's data directory while the page is there: its address. */
const ADDRESS = 'page'

const HEADERS = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
}

/**
 * The local page of an agent, for whoever is on its host: it only shows. Undefined where none is wanted; UNAVAILABLE
 * where its address cannot be had.
 */
export async function openPage({
  settings: { page, name, agent },
  ledger,
  log,
}: {
  settings: StandaloneSettings
  ledger: Ledger
  log: Logger
}): Promise<{ close(): Promise<void> } | undefined> {
  if (!page) return undefined
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void =>
      void response.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8` }).end(body)
    // A page of another site in this host's browser may have a name of its own lead here.
    const host = (request.headers.host ?? '').replace(/:\d+$/, '')
    if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) return answer(403, 'text/plain', 'not by this name\n')
    if (request.method !== 'GET') return answer(405, 'text/plain', 'it only shows\n')
    const status = statusOf(ledger.branch, ledger.stacks())
    switch (request.url ?? '') {
      case '/':
        return answer(200, 'text/html', pageText(name, status))
      case '/status.json':
        return answer(200, 'application/json', JSON.stringify(status))
      case '/metrics':
        return answer(200, 'text/plain; version=0.0.4', metricsText(status))
      case '/healthz':
        return answer(200, 'text/plain', 'ok\n')
      default:
        return answer(404, 'text/plain', 'nothing here\n')
    }
  })
  await listen(server, page)
  const { port } = server.address() as AddressInfo
  const url = `http://${page.host.includes(':') ? `[${page.host}]` : page.host}:${port}`
  const file = join(agent.options.data, ADDRESS)
  writeFileSync(file, `${url}\n`)
  log.info({ url }, 'page')
  return {
    async close() {
      rmSync(file, { force: true })
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (cause) {
    const why = (cause as Error).message
    const next = 'Name another address at `page`, or leave it out.'
    throw new TrueupError('UNAVAILABLE', { doing: `listening on ${host}:${port}`, why, next, cause })
  }
}

const ESCAPES: { [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character]!)
const timeOf = (at: number | null | undefined): string =>
  at ? new Date(at).toISOString().slice(0, 19).replace('T', ' ') : ''

function pageText(name: string, { branch, stacks }: AgentStatus): string {
  const { taken, refused, trouble } = branch
  const lines = [
    taken
      ? `Commit ${taken.commit.slice(0, 12)}, signed by ${taken.signer}, taken ${timeOf(taken.at)} UTC`
      : 'No commit yet',
    ...(refused ? [`Refused: ${refused.commit.slice(0, 12)}, ${refused.code}: ${refused.why}`] : []),
    ...(trouble ? [`Not followed since ${timeOf(trouble.since)} UTC: ${trouble.why}`] : []),
  ]
  const rows = stacks.map(({ stack, state, doing, commit, deployedAt, counts, why }) =>
    [
      stack,
      doing ? `${state} (${doing})` : state,
      commit?.slice(0, 12) ?? '',
      timeOf(deployedAt),
      String(counts.healed),
      why,
    ]
      .map((cell) => `<td>${escaped(cell)}</td>`)
      .join(''),
  )
  const heads = ['Stack', 'State', 'Commit', 'Deployed (UTC)', 'Healed', 'Why']
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(name)}: Trueup agent</title>
<style>:root { color-scheme: light dark } body { font: 15px system-ui, sans-serif; margin: 2rem } td, th { text-align: left; padding: .3rem 1rem .3rem 0; vertical-align: top }</style>
<h1>${escaped(name)}</h1>
${lines.map((line) => `<p>${escaped(line)}</p>`).join('\n')}
<table>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row}</tr>`).join('\n')}
</tbody>
</table>
`
}
