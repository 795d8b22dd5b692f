import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { silentLogger } from '../../src/lib/log.ts'
import { startLiveServer, until } from '../../src/server/testing/live.ts'
import { parseOptions } from '../../src/worker/options.ts'
import { startRunner } from '../../src/worker/runner.ts'
import { startChaos } from './chaos.ts'

const STACKS = [0, 1]
const LINES = 40
/** `TRUEUP_TEST_HISTORIES=50` lives through more; each seed is a history of its own. */
const SEEDS = Array.from({ length: Number(process.env['TRUEUP_TEST_HISTORIES'] ?? 2) }, (_, n) => 7_001 + n)
const ODDS = 18
/** Nothing here is measured: each cut costs a pause, and the machine may be busy. */
const PATIENCE_MS = 600_000
/** Far longer than a history: that a lease runs out is another test. */
const LEASE_MS = 3_600_000

const says = (word: string, stack: number) => `for i in $(seq ${LINES}); do echo ${word}-${stack}-$i; done`
const said = (word: string, stack: number) => Array.from({ length: LINES }, (_, n) => `${word}-${stack}-${n + 1}`)

interface Seen {
  id: string
  stack: string
  kind: string
  state: string
}

it.each(SEEDS)(
  'whatever befalls frames and server: every line once and in order, every result once (seed %i)',
  async (seed) => {
    const data = mkdtempSync(join(tmpdir(), 'trueup-chaos-'))
    const applied = (stack: number) => join(data, `applied-${stack}`)
    const config = {
      version: 1,
      environments: { production: { tier: 'development', workers: 'edge' } },
      stacks: STACKS.map((stack) => ({
        path: `s${stack}`,
        driver: 'command',
        environments: ['production'],
        with: {
          plan: `${says('plan', stack)}; exit 2`,
          apply: `echo once >> ${applied(stack)}; ${says('apply', stack)}`,
        },
        verify: [says('verify', stack)],
      })),
    }
    const files = Object.fromEntries(STACKS.map((stack) => [`s${stack}/file`, 'content\n']))
    const live = await startLiveServer(() => ({ 'trueup.yaml': stringify(config), ...files }), { leaseMs: LEASE_MS })
    let plans = 0
    let restarted: Promise<void> | undefined
    const chaos = await startChaos(live.url, {
      seed,
      odds: ODDS,
      onFrame: (_from, method) => {
        // In the middle of everything the server goes and comes back.
        if (method === 'plan' && ++plans === 2) restarted ??= live.restart()
      },
    })
    const { body } = await live.request('POST', '/api/v1/workers/enrolments', { pools: ['edge'] })
    const argv = ['--server', chaos.url, '--token', (body as { token: string }).token, '--name', 'edge', '--slots', '2']
    const runner = await startRunner(parseOptions([...argv, '--data', join(data, 'runner')], {}), silentLogger)
    try {
      const all = async () => {
        const answer = await live.shop('GET', '/runs?limit=100').catch(() => ({ body: {} }))
        return ((answer.body as { items?: Seen[] }).items ?? []).filter(({ kind }) => kind === 'deploy')
      }
      const runs = await until(
        all,
        (seen) => seen.length >= STACKS.length && seen.every(({ state }) => !UNDER_WAY.has(state)),
        PATIENCE_MS,
      )
      await restarted
      expect(runs.map(({ state }) => state)).toEqual(STACKS.map(() => 'succeeded'))
      expect(Object.keys(chaos.count()).length).toBeGreaterThan(1)
      for (const stack of STACKS) {
        expect(existsSync(applied(stack)) && readFileSync(applied(stack), 'utf8')).toBe('once\n')
        const run = runs.find((each) => each.stack === `production/s${stack}`)!
        const log = await until(
          () => live.request('GET', `/api/v1/runs/${run.id}/log`),
          ({ status }) => status === 200,
        )
        const { text } = log.body as { text: string }
        const lines = [...text.matchAll(/(?:plan|apply|verify)-\d+-\d+(?=\n)/g)].map(([line]) => line)
        expect(lines).toEqual(['plan', 'apply', 'verify'].flatMap((word) => said(word, stack)))
        const { body: audit } = await until(
          () => live.request('GET', `/api/v1/audit?subject=${run.id}&limit=100`),
          ({ status }) => status === 200,
        )
        const actions = (audit as { items: { action: string }[] }).items.map(({ action }) => action)
        for (const action of ['run.applying', 'run.succeeded'])
          expect(
            actions.filter((each) => each === action),
            `${action} of ${run.stack}`,
          ).toHaveLength(1)
      }
    } finally {
      chaos.calm()
      await runner.stop(0)
      chaos.close()
      await restarted
      await live.close()
      rmSync(data, { recursive: true, force: true })
    }
  },
  PATIENCE_MS + 60_000,
)

const UNDER_WAY = new Set(['queued', 'leased', 'preparing', 'planning', 'applying', 'verifying'])
