import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { FINAL, until, useRunners } from '../../test/worker-peer/use-runners.ts'
import type { PeerRun } from '../../test/worker-peer/runs.ts'

const { peer, inside, start, startAt } = useRunners()

const ended = (run: PeerRun) => until(() => FINAL.includes(run.state))

/** Replaces `target` by the content of `web/file`. */
const copying = (target: string, more: object = {}) => ({
  plan: `cmp -s file ${target} && exit 0; echo "write ${target}"; exit 2`,
  apply: `cat file > ${target}; echo written; printf '{"where":"${target}"}' > "$TRUEUP_OUTPUTS_FILE"`,
  ...more,
})

test('a deploy goes from lease to verified end, and leaves nothing behind', async () => {
  start()
  const target = inside('target')
  const run = peer.add({
    driverConfig: copying(target),
    verify: [{ name: 'smoke', run: `grep content ${target}`, timeoutMs: 5_000 }],
  })
  await ended(run)
  expect(run.history).toEqual(['leased', 'preparing', 'planning', 'applying', 'verifying', 'succeeded'])
  expect(readFileSync(target, 'utf8')).toBe('content\n')
  expect(run.plans).toMatchObject([{ plan: { changes: [{ address: 'command', actions: ['update'] }] } }])
  expect(run.applied).toMatchObject([{ status: 'applied', outputs: { where: { value: target } } }])
  expect(run.finished).toMatchObject([
    { status: 'succeeded', verify: [{ name: 'smoke', ok: true, output: 'content\n' }] },
  ])
  expect(run.log).toBe(`write ${target}\nwritten\n$ smoke\ncontent\n`)
  await until(() => readdirSync(inside('ws')).length === 0)
  expect(readdirSync(inside('data', 'outbox'))).toEqual([])
  expect(readdirSync(inside('data', 'processes'))).toEqual([])

  const again = peer.add({ driverConfig: copying(target) })
  await ended(again)
  expect(again.history).toEqual(['leased', 'preparing', 'planning', 'succeeded'])
  expect(again.finished).toEqual([])
})

test('a preview brings findings and the verdicts of its checks', async () => {
  start()
  const checks = [
    { name: 'fine', run: 'echo ok', timeoutMs: 5_000 },
    { name: 'bad', run: 'echo not so good; exit 3', timeoutMs: 5_000 },
    { name: 'slow', run: 'sleep 60', timeoutMs: 200 },
  ]
  const run = peer.add({
    kind: 'preview',
    driverConfig: { plan: 'echo x; exit 2', apply: 'false', validate: 'true' },
    checks,
  })
  await ended(run)
  expect(run.plans[0]?.checks).toMatchObject([
    { name: 'fine', ok: true, exitCode: 0, output: 'ok\n' },
    { name: 'bad', ok: false, exitCode: 3, output: 'not so good\n' },
    { name: 'slow', ok: false, output: expect.stringContaining('longer than 0.2 s') },
  ])
  expect(run.applied).toEqual([])

  const broken = peer.add({
    kind: 'preview',
    driverConfig: { plan: 'exit 0', apply: 'x', validate: 'echo bad source; exit 1' },
  })
  await ended(broken)
  expect(broken.finished[0]).toMatchObject({
    status: 'failed',
    error: { code: 'SOURCE_INVALID', why: expect.stringContaining('bad source') },
  })
})

test('an apply that was refused before its first write says that nothing was touched', async () => {
  start()
  const answer = (...messages: object[]) => messages.map((message) => `echo '${JSON.stringify(message)}'`).join('; ')
  const change = { type: 'change', address: 'a', actions: ['create'] }
  const plan = answer(change, { type: 'done' })
  const driver = (refusal: object) =>
    `#!/bin/sh\ncase "$(cat)" in *'"verb":"versions"'*) ${answer({ type: 'done' })};; *'"verb":"plan"'*) ${plan};; *) ${answer(refusal)};; esac\n`
  const applying = (refusal: object) =>
    peer.add(
      { driverConfig: { executable: './driver.sh' } },
      { files: { 'web/driver.sh': { content: driver(refusal), mode: 0o755 } } },
    )
  const stale = applying({ type: 'error', fault: 'stale', message: 'somebody was here' })
  await ended(stale)
  expect(stale.applied).toMatchObject([{ status: 'failed', untouched: true }])
  expect(stale.finished[0]).toMatchObject({ status: 'failed', error: { code: 'PLAN_STALE' } })

  const broken = applying({ type: 'error', message: 'half-way' })
  await ended(broken)
  expect(broken.applied[0]).not.toHaveProperty('untouched')
})

test('of a sensitive input each part is masked', async () => {
  start()
  const login = { user: 'carpenter', ports: [54321], password: 'battery-staple' }
  const run = peer.add({
    driverConfig: { plan: 'echo carpenter, battery-staple, 54321', apply: 'false' },
    inputs: { login: { value: login, sensitive: true } },
  })
  await ended(run)
  expect(run.log).toContain('***, ***, ***')
})

test('tools see their variables and nothing of the runner; secrets never leave it', async () => {
  start('--pass-env', 'TRUEUP_LOG_LEVEL')
  const variables = { TOKEN: { value: 'sEcr3t-token', secret: true }, COLOR: { value: 'blue', secret: false } }
  const run = peer.add({
    driverConfig: { plan: 'env; printf "$TOKEN" | base64; exit 2', apply: 'echo "apply $COLOR $TOKEN"; exit 9' },
    variables,
    verify: [],
  })
  run.decide = () => ({ action: 'apply', variables: { ...variables, COLOR: { value: 'red', secret: false } } })
  await ended(run)
  expect(run.log).toContain('COLOR=blue')
  expect(run.log).toContain('TOKEN=***')
  expect(run.log).toContain('apply red ***')
  expect(run.log).toContain('TRUEUP_LOG_LEVEL=debug')
  expect(run.log).not.toContain('own-env')
  expect(run.log).not.toContain('ENROLMENT')
  const everything = JSON.stringify([run.log, run.plans, run.applied, run.finished])
  expect(everything).not.toContain('sEcr3t-token')
  expect(everything).not.toContain(Buffer.from('sEcr3t-token').toString('base64'))
  expect(run.finished[0]).toMatchObject({ status: 'failed', error: { code: 'TOOL_FAILED' } })
})

test('what a secret was before is hidden too, and no tool gets it', async () => {
  start()
  const run = peer.add({
    driverConfig: { plan: 'env; echo "it was former-canary-1"; exit 2', apply: 'echo "still former-canary-2"; exit 9' },
    formerSecrets: ['former-canary-1'],
    verify: [],
  })
  run.decide = () => ({ action: 'apply', variables: {}, formerSecrets: ['former-canary-2'] })
  await ended(run)
  expect(run.log).toContain('it was ***')
  expect(run.log).toContain('still ***')
  expect(JSON.stringify([run.log, run.plans, run.applied, run.finished])).not.toContain('former-canary')
})

test.for([
  ['unknown driver', { driver: 'nonsense' }, 'CONFIG_INVALID'],
  ['settings the driver does not take', { driverConfig: { plan: 1 } }, 'CONFIG_INVALID'],
  ['plan command that fails', { driverConfig: { plan: 'exit 1', apply: 'true' } }, 'TOOL_FAILED'],
  ['missing tool', { driverConfig: { executable: 'no-such-driver' } }, 'TOOL_MISSING'],
  [
    'stack path outside the repository',
    { stack: { id: 's', repository: 'r', environment: 'e', name: 'n', path: '../x' } },
    'PATH_OUTSIDE',
  ],
] as const)('%s: the run fails with a clear error', async ([, grant, code]) => {
  start()
  const run = peer.add({ driverConfig: { plan: 'true', apply: 'true' }, ...(grant as object) })
  await ended(run)
  expect(run.finished).toMatchObject([{ status: 'failed', error: { code } }])
  expect(run.log).toContain(code)
})

test('a tool that hangs is ended by the time-out of the run', async () => {
  start()
  const run = peer.add({ driverConfig: { plan: 'echo waiting; sleep 300', apply: 'true' }, timeoutMs: 700 })
  await ended(run)
  expect(run.finished).toMatchObject([{ status: 'failed', error: { code: 'TIMED_OUT' } }])
})

test('a gigabyte of output: memory and log stay bounded, and the end of it is there', async () => {
  const runner = start()
  const run = peer.add({
    driverConfig: { plan: 'yes $(printf %0200d 7) | head -c 1073741824; echo; echo THE END; exit 1', apply: 'true' },
  })
  let peak = 0
  const watch = setInterval(() => {
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${runner.process.pid}/status`, 'utf8'))
    peak = Math.max(peak, Number(rss?.[1] ?? 0) * 1024)
  }, 50)
  await vi.waitFor(() => expect(run.state).toBe('failed'), { timeout: 280_000, interval: 100 })
  clearInterval(watch)
  expect(run.log.length).toBeLessThan(18 * 1024 * 1024)
  expect(run.log).toMatch(/characters left out/)
  expect(run.log).toContain('THE END')
  expect(peak).toBeLessThan(700 * 1024 * 1024)
})

test('cancel while planning, and while applying', async () => {
  start()
  const planning = peer.add({ driverConfig: { plan: 'echo up; sleep 300', apply: 'true' } })
  await until(() => planning.log.includes('up'))
  peer.send({ event: 'cancel', runId: planning.grant.runId, reason: 'because' })
  await ended(planning)
  expect(planning.finished).toMatchObject([{ status: 'canceled' }])
  expect(planning.applied).toEqual([])

  const applying = peer.add({
    driverConfig: { plan: 'exit 2', apply: `trap 'echo saving; exit 1' INT; echo up; sleep 300` },
  })
  await until(() => applying.log.includes('up'))
  // The event got lost: the heartbeat brings the word.
  applying.cancelRequested = true
  await ended(applying)
  expect(applying.log).toContain('saving')
  expect(applying.applied).toMatchObject([{ status: 'canceled' }])
  expect(applying.finished).toMatchObject([{ status: 'canceled' }])
})

test('SIGTERM gives back what has changed nothing and finishes what is applying', async () => {
  const runner = start()
  const planning = peer.add({ driverConfig: { plan: 'echo up; sleep 300', apply: 'true' } })
  const applying = peer.add({ driverConfig: { plan: 'exit 2', apply: 'echo up; sleep 1; echo finished' } })
  await until(() => planning.log.includes('up') && applying.log.includes('up'))
  expect(await runner.end('SIGTERM')).toBe(0)
  expect(planning.state).toBe('queued')
  expect(planning.finished).toMatchObject([{ status: 'returned' }])
  expect(applying.state).toBe('succeeded')
  expect(applying.log).toContain('finished')
})

test('with its parent gone the runner ends, and its successor waits for the directory', async () => {
  const first = start('--with-parent')
  const go = inside('go')
  const apply = `echo up; until [ -e ${go} ]; do sleep 0.05; done`
  const run = peer.add({ driverConfig: { plan: 'exit 2', apply } })
  await until(() => run.log.includes('up'))
  const second = start('--with-parent')
  await until(() => second.log().includes('waiting for the runner'))
  first.process.stdin?.destroy()
  writeFileSync(go, '')
  await ended(run)
  expect(run.state).toBe('succeeded')
  await until(() => first.process.exitCode === 0)
  await until(() => second.log().includes('"connected"'))
})

test('a second runner on the same directory is refused and says who holds it', async () => {
  const first = start()
  await until(() => first.log().includes('"connected"'))
  const second = start()
  await until(() => second.process.exitCode !== null)
  expect(second.process.exitCode).toBe(1)
  expect(second.log()).toContain(`process ${first.process.pid}`)
  expect(second.log()).toContain('DATA_LOCKED')
})

test('a token that is not known is a clear end', async () => {
  const runner = startAt({ url: peer.url, enrolment: 'wrong' })
  await until(() => runner.process.exitCode !== null)
  expect(runner.process.exitCode).toBe(1)
  expect(runner.log()).toContain('UNAUTHENTICATED')
  expect(existsSync(inside('data', 'identity.json'))).toBe(true)
})
