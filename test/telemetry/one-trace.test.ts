import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Shell } from '../../src/cli/testing/process.ts'
import { runProcess } from '../../src/lib/process/run.ts'
import { type Collector, openCollector, type ReceivedSpan } from './collector.ts'

/** From a push to its deployment, by real processes: what a collector hears of it is one trace. */
let shell: Shell
let collector: Collector
let work: string
let url: string
let server: ChildProcess

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

beforeAll(async () => {
  collector = await openCollector()
  shell = await openShell()
  Object.assign(shell.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.address,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '200',
  })
  ;({ url, process: server } = await shell.up(['--runner-slots', '2']))
  work = join(shell.home, 'shop')
  await mkdir(join(work, 'page'), { recursive: true })
}, 120_000)
afterAll(async () => {
  await shell.close()
  await collector.close()
})

const run = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await shell.run(args, { cwd: work })
  expect(code, `trueup ${args.join(' ')}: ${err}`).toBe(0)
  return out
}

async function git(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
  expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
}

const told = (): string => join(shell.home, 'told')

/** The command notes which trace it was given. */
const config = (): string => `version: 1
environments:
  production: { approvals: { required: 1 } }
stacks:
  - path: page
    driver: command
    with:
      plan: test -e ${join(shell.home, 'done')} || { echo "$TRACEPARENT" >> ${told()}; echo done; exit 2; }
      apply: touch ${join(shell.home, 'done')}
`

async function write(text: string): Promise<void> {
  await writeFile(join(work, 'trueup.yaml'), text)
  await writeFile(join(work, 'page', 'README'), 'a page')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'Change')
}

const named = (name: string): ReceivedSpan[] => collector.spans.filter((span) => span.name === name)

it('is told as one trace of server and worker', { timeout: 300_000 }, async () => {
  await run('repo', 'create', 'shop')
  await run('user', 'add', 'bob', '--email', 'bob@example.org')
  await run('member', 'set', 'shop', 'bob', 'contributor')
  const token = (await run('token', 'create', '--user', 'bob', '--name', 'laptop')).trim()
  const helper = `!${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} git-credential`
  await git('init', '--quiet', '--initial-branch', 'main')
  await git('config', '--global', `credential.${url}.helper`, helper)
  await git('remote', 'add', 'origin', `${url}/git/shop.git`)
  await write('version: 1\nenvironments:\n  production: { approvals: { required: 1 } }\n')
  await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main')
  await git('switch', '--quiet', '--create', 'page')
  await write(config())
  await git('push', '--quiet', '-o', 'mr', 'origin', 'HEAD')
  await run('mr', 'show', '--wait')
  const approved = await shell.run(['mr', 'approve', '1'], { cwd: work, env: { TRUEUP_TOKEN: token, TRUEUP_URL: url } })
  expect(approved.code, approved.err).toBe(0)
  await run('mr', 'merge', '1', '--wait')

  await expect.poll(() => named('deploy production/page'), { timeout: 60_000 }).toHaveLength(1)
  await expect.poll(() => named('deploy on the worker'), { timeout: 60_000 }).toHaveLength(1)
  const [root] = named('merge request shop!1')
  const all = collector.spans.filter(({ traceId }) => traceId === root!.traceId)
  const byId = new Map(all.map((span) => [span.spanId, span]))
  const below = all.filter(({ parentSpanId }) => parentSpanId !== undefined)
  // Nothing hangs in the air, and no two are one.
  expect(byId.size).toBe(all.length)
  expect(below.filter(({ parentSpanId }) => !byId.has(parentSpanId!))).toEqual([])
  expect(all.length - below.length).toBe(1)

  const pathOf = (span: ReceivedSpan): string =>
    [...(span.parentSpanId ? [pathOf(byId.get(span.parentSpanId)!)] : []), `${span.service}: ${span.name}`].join(' > ')
  const mr = 'trueup-server: merge request shop!1'
  expect(all.map(pathOf)).toEqual(
    expect.arrayContaining([
      `${mr} > trueup-server: push`,
      `${mr} > trueup-server: approval`,
      `${mr} > trueup-server: merge`,
      `${mr} > trueup-server: preview production/page > trueup-server: planning`,
      `${mr} > trueup-server: preview production/page > trueup-runner: preview on the worker > trueup-runner: sh`,
      `${mr} > trueup-server: deploy production/page > trueup-server: applying`,
      `${mr} > trueup-server: deploy production/page > trueup-runner: deploy on the worker > trueup-runner: sh`,
    ]),
  )
  expect(all.filter(({ startedAt, endedAt }) => endedAt < startedAt)).toEqual([])
  expect(named('deploy production/page')[0]!.attributes).toMatchObject({
    'trueup.run.state': 'succeeded',
    'trueup.repository': 'shop',
    'trueup.driver': 'command',
  })
  // A tool that knows the convention goes on below the span of its process.
  const [, traceId, spanId] = /^00-(\w{32})-(\w{16})-01/.exec(await readFile(told(), 'utf8')) ?? []
  expect(byId.get(spanId!)).toMatchObject({ traceId, name: 'sh' })
})

it('tells the metrics when the server ends, if not before', { timeout: 60_000 }, async () => {
  server.kill('SIGTERM')
  await new Promise((resolve) => server.once('exit', resolve))
  expect(collector.metrics.get('trueup_runs_ended_total')).toEqual(
    expect.arrayContaining([expect.objectContaining({ asDouble: 1 })]),
  )
  const [http] = collector.metrics.get('trueup_http_request_seconds') as { count: number; bucketCounts: number[] }[]
  expect(http!.bucketCounts.reduce((sum, each) => sum + Number(each), 0)).toBe(Number(http!.count))
})

it('refuses to start where what is asked for cannot be had', { timeout: 60_000 }, async () => {
  const { code, err } = await shell.run(['up', '--port', '0'], { env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } })
  expect([code, err]).toEqual([1, expect.stringContaining('Use http/protobuf or http/json')])
})

it('says in its log that a collector is not there, and goes on', { timeout: 120_000 }, async () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_METRIC_EXPORT_INTERVAL: '500' }
  const data = join(shell.home, 'lonely')
  const child = shell.start(['up', '--port', '0', '--runner-slots', '0', '--data', data], { env })
  let said = ''
  child.stderr!.on('data', (chunk) => (said += chunk))
  await expect.poll(() => said, { timeout: 90_000 }).toContain('telemetry could not be sent')
  expect(child.exitCode).toBeNull()
  child.kill('SIGTERM')
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
})
