import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { METRICS_TYPE, serveLocally } from '../../local-server.ts'
import type { Logger } from '../../logging.ts'
import type { StandaloneSettings } from './config.ts'
import type { Ledger } from './ledger.ts'
import { metricsText } from './metrics.ts'
import { type AgentStatus, statusOf } from './overview.ts'

/** In the agent's data directory while the page is there: its address. */
const ADDRESS = 'page'

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
  const status = (): AgentStatus => statusOf(ledger.branch, ledger.stacks())
  const served = await serveLocally(page, 'page', {
    '/': () => ({ type: 'text/html', body: pageText(name, status()) }),
    '/status.json': () => ({ type: 'application/json', body: JSON.stringify(status()) }),
    '/metrics': () => ({ type: METRICS_TYPE, body: metricsText(status()) }),
  })
  const { url } = served
  const file = join(agent.options.data, ADDRESS)
  writeFileSync(file, `${url}\n`)
  log.info({ url }, 'page')
  return {
    async close() {
      rmSync(file, { force: true })
      await served.close()
    },
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
