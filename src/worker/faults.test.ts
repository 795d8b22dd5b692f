import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FINAL, until, useRunners } from '../../test/worker-peer/use-runners.ts'
import type { PeerRun } from '../../test/worker-peer/runs.ts'
import { processEntry } from '../lib/process/proc.ts'
import type { Method } from './protocol.ts'

const { peer, inside, start } = useRunners()

/** For leases that are to outlast a start of the runner on whatever machine. */
const LONG_MS = 600_000

const ended = (run: PeerRun) => until(() => FINAL.includes(run.state))
const alive = (pid: number) => processEntry(pid)?.zombie === false
const numberIn = (name: string) => Number(readFileSync(inside(name), 'utf8'))
/** Names in the outbox; a result that is still being written ends in `.new`. */
const leftResults = () => (existsSync(inside('data', 'outbox')) ? readdirSync(inside('data', 'outbox')) : [])
/** Appends a line per apply: what was applied twice has two. */
const once = () => ({ plan: 'echo change; exit 2', apply: `echo applied >> ${inside()}/applied` })
const timesApplied = () =>
  existsSync(inside('applied')) ? readFileSync(inside('applied'), 'utf8').split('\n').length - 1 : 0

describe('the runner is killed', () => {
  test('while planning: its tool is ended, and the run is planned again', async () => {
    const runner = start()
    const plan = `test -e ${inside()}/second && { echo change; exit 2; }; echo $$ > ${inside()}/pid; echo up; trap '' INT; sleep 300`
    const run = peer.add({ driverConfig: { ...once(), plan } })
    await until(() => run.log.includes('up'))
    await runner.end('SIGKILL')
    const tool = numberIn('pid')
    expect(alive(tool)).toBe(true)
    expect(readdirSync(inside('ws'))).toHaveLength(1)

    writeFileSync(inside('second'), '')
    const next = start()
    await ended(run)
    expect(alive(tool)).toBe(false)
    expect(next.log()).toContain('ended a tool that a killed runner had left')
    expect(run.state).toBe('succeeded')
    expect(run.grant.fence).toBe(2)
    expect(timesApplied()).toBe(1)
    await until(() => readdirSync(inside('ws')).length === 0)
  })

  test('while applying: its tool and the children of that are ended before it says hello, and the run is lost', async () => {
    const runner = start()
    const apply = `echo $$ > ${inside()}/pid; sleep 300 & echo $! > ${inside()}/child; echo up; trap '' INT; wait; wait`
    const run = peer.add({ driverConfig: { plan: 'exit 2', apply } })
    await until(() => run.log.includes('up'))
    await runner.end('SIGKILL')
    const pids = [numberIn('pid'), numberIn('child')]
    expect(pids.every(alive)).toBe(true)

    const hellos = () => peer.calls.filter(({ method }) => method === 'hello').length
    const before = hellos()
    start()
    await until(() => hellos() > before)
    expect(pids.some(alive)).toBe(false)
    await ended(run)
    expect(run.state).toBe('lost')
  })

  test('after the apply and before its report: the successor reports it', async () => {
    const runner = start()
    const run = peer.add({ driverConfig: once(), leaseMs: LONG_MS })
    run.decide = () => {
      peer.faults.silent = true
      return { action: 'apply', variables: {} }
    }
    // The answer to `plan` is sent before the silence begins to matter for the next call.
    await until(() => leftResults().some((name) => name.endsWith('.json')))
    expect(run.applied).toEqual([])
    await runner.end('SIGKILL')
    peer.faults.silent = false
    start()
    await ended(run)
    expect(run.applied).toMatchObject([{ status: 'applied' }])
    expect(run.finished).toMatchObject([{ status: 'succeeded' }])
    expect(timesApplied()).toBe(1)
    await until(() => leftResults().length === 0)
  })

  test('while it writes down a result: the half-written one is thrown away, and the run is lost', async () => {
    const runner = start()
    const run = peer.add({ driverConfig: { plan: 'exit 2', apply: `echo up; sleep 300` } })
    await until(() => run.log.includes('up'))
    await runner.end('SIGKILL')
    writeFileSync(inside('data', 'outbox', `${run.grant.runId}-1.json.new`), '{"runId":"')
    start()
    await ended(run)
    expect(run.state).toBe('lost')
    await until(() => leftResults().length === 0)
  })

  test('while verifying: the change is reported, and that it was not verified', async () => {
    const runner = start()
    const run = peer.add({
      driverConfig: once(),
      leaseMs: LONG_MS,
      verify: [{ name: 'slow', run: 'echo checking; sleep 300', timeoutMs: 400_000 }],
    })
    await until(() => run.log.includes('checking'))
    await runner.end('SIGKILL')
    start()
    await ended(run)
    expect(run.state).toBe('failed')
    expect(run.applied).toMatchObject([{ status: 'applied' }])
    expect(run.finished).toMatchObject([{ error: { code: 'VERIFY_FAILED' } }])
  })
})

test('a result that cannot be written down is sent all the same', async () => {
  const runner = start()
  const { plan, apply } = once()
  const run = peer.add({ driverConfig: { plan, apply: `rm -r ${inside()}/data/outbox; ${apply}` } })
  await ended(run)
  expect(run.state).toBe('succeeded')
  expect(run.applied).toMatchObject([{ status: 'applied' }])
  expect(timesApplied()).toBe(1)
  expect(runner.log()).toContain('cannot be written down')
})

describe('the connection breaks', () => {
  const METHODS: Method[] = ['hello', 'lease', 'state', 'log', 'plan', 'applied', 'finish']
  test.for(METHODS.flatMap((method) => [[method, 'cutBeforeAnswer'] as const, [method, 'cutBeforeCall'] as const]))(
    'in `%s` (%s): the run comes to its end, once',
    async ([method, fault]) => {
      peer.faults[fault] = method
      start()
      const run = peer.add({ driverConfig: once() })
      await ended(run)
      expect(run.state).toBe('succeeded')
      expect(timesApplied()).toBe(1)
      expect(run.log).toBe('change\n')
      expect(run.finished).toHaveLength(1)
      expect(peer.faults[fault]).toBeUndefined()
    },
  )

  test('again and again: the log has every line once and in order', async () => {
    start()
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i}`)
    const run = peer.add({
      driverConfig: { plan: 'for i in $(seq 0 59); do echo line $i; sleep 0.03; done; exit 1', apply: 'x' },
    })
    await until(() => run.log.includes('line 3'))
    const cuts = setInterval(() => peer.cut(), 400)
    await ended(run)
    clearInterval(cuts)
    expect(run.log.split('\n').slice(0, 60)).toEqual(lines)
    expect(peer.calls.filter(({ method }) => method === 'hello').length).toBeGreaterThan(2)
  })

  test('answers that come twice do no harm', async () => {
    peer.faults.twice = true
    start()
    const run = peer.add({ driverConfig: once() })
    await ended(run)
    expect(run.state).toBe('succeeded')
    expect(timesApplied()).toBe(1)
  })

  test('for longer than the lease: the tool is ended before the lease is over', async () => {
    const runner = start()
    // It says itself how long it lived: this process may look late on a busy machine.
    const sign = `date +%s%3N > ${inside()}/alive.new; mv ${inside()}/alive.new ${inside()}/alive`
    const apply = `echo $$ > ${inside()}/pid; echo up; trap '' INT; while :; do ${sign}; sleep 0.05; done`
    const run = peer.add({ driverConfig: { plan: 'exit 2', apply }, leaseMs: 2_000 })
    await until(() => run.log.includes('up'))
    const tool = numberIn('pid')
    peer.faults.silent = true
    await until(() => !alive(tool))
    // The peer counts from when a heartbeat came in, which is later than when the runner sent it.
    expect(numberIn('alive')).toBeLessThan(run.leaseUntil + 700)
    expect(runner.log()).toContain('lease not renewed')
    peer.faults.silent = false
    peer.cut()
    await ended(run)
    expect(run.state).toBe('lost')
    await until(() => leftResults().length === 0)
  })

  test('and the server gave the run away: this runner stops it and reports nothing', async () => {
    start()
    const run = peer.add({ driverConfig: { plan: `echo $$ > ${inside()}/pid; echo up; sleep 300`, apply: 'true' } })
    await until(() => run.log.includes('up'))
    run.grant = { ...run.grant, fence: run.grant.fence + 1 }
    await until(() => !alive(numberIn('pid')))
    expect(run.finished).toEqual([])
  })
})

describe('without WebSocket', () => {
  test('everything goes by long polls, cancel included', async () => {
    peer.faults.refuseSocket = 426
    const runner = start()
    const run = peer.add({ driverConfig: once() })
    await ended(run)
    expect(run.state).toBe('succeeded')
    expect(new Set(peer.calls.map(({ via }) => via))).toEqual(new Set(['long-poll']))
    expect(runner.log()).toContain('"via":"long-poll"')

    const hanging = peer.add({ driverConfig: { plan: 'echo up; sleep 300', apply: 'true' } })
    await until(() => hanging.log.includes('up'))
    peer.send({ event: 'cancel', runId: hanging.grant.runId, reason: 'enough' })
    await ended(hanging)
    expect(hanging.state).toBe('canceled')
  })

  test.for(['cutBeforeAnswer', 'cutBeforeCall'] as const)('a broken call is repeated (%s)', async (fault) => {
    peer.faults.refuseSocket = 400
    peer.faults[fault] = 'applied'
    start()
    const run = peer.add({ driverConfig: once() })
    await ended(run)
    expect(run.state).toBe('succeeded')
    expect(timesApplied()).toBe(1)
  })
})
