import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeWithSandbox } from '../../test/sandbox/available.ts'
import { FINAL, until, useRunners } from '../../test/worker-peer/use-runners.ts'
import type { PeerRun } from '../../test/worker-peer/runs.ts'

const { peer, inside, start } = useRunners()
const ended = (run: PeerRun) => until(() => FINAL.includes(run.state))
const untrusted = { untrusted: true, network: [] }
/** Plans a change whose text is whether a file of the worker's data directory is seen. */
const looking = (more: object = {}) => ({
  plan: `[ -e ${inside('data', 'identity.json')} ] && echo seen || echo hidden; exit 2`,
  apply: `[ -e ${inside('data', 'identity.json')} ] && echo seen || echo hidden`,
  ...more,
})

test('a worker without sandboxes refuses what must be in one, and says what to do', async () => {
  start('--sandbox', 'off')
  const run = peer.add({ kind: 'preview', driverConfig: looking(), sandbox: untrusted })
  const asked = peer.add({
    kind: 'preview',
    driverConfig: looking(),
    sandbox: { ...untrusted, untrusted: false, asked: 'plan' },
  })
  await Promise.all([ended(run), ended(asked)])
  for (const { finished } of [run, asked])
    expect(finished).toMatchObject([
      { status: 'failed', error: { code: 'SANDBOX_UNAVAILABLE', next: expect.stringContaining('--sandbox auto') } },
    ])
  const open = peer.add({ kind: 'preview', driverConfig: looking() })
  await ended(open)
  expect(open.log).toBe('seen\n')
})

test('so does one where bubblewrap cannot work, and one that requires it does not start', async () => {
  writeFileSync(inside('bwrap'), '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2; exit 1\n', {
    mode: 0o755,
  })
  const PATH = process.env.PATH
  process.env.PATH = `${inside()}:${PATH}`
  try {
    start()
    const refused = start('--sandbox', 'require', '--data', inside('second'))
    const run = peer.add({ kind: 'preview', driverConfig: looking(), sandbox: untrusted })
    await ended(run)
    expect(run.finished).toMatchObject([
      {
        error: { code: 'SANDBOX_UNAVAILABLE', why: expect.stringContaining('No permissions to create new namespace') },
      },
    ])
    await until(() => refused.process.exitCode !== null)
    expect(refused.log()).toContain('SANDBOX_UNAVAILABLE')
  } finally {
    process.env.PATH = PATH
  }
})

describeWithSandbox('runs in sandboxes', () => {
  test('a change that nobody vouches for is planned inside, others beside the worker', async () => {
    start()
    const run = peer.add({ kind: 'preview', driverConfig: looking(), sandbox: untrusted })
    const open = peer.add({ kind: 'preview', driverConfig: looking() })
    await Promise.all([ended(run), ended(open)])
    expect([run.log, open.log]).toEqual(['hidden\n', 'seen\n'])
    expect(readdirSync(inside('data', 'cache'))).toContain('untrusted')
    await until(() => readdirSync(inside('ws')).length === 0)
  })

  test('a driver that looks at its target itself is refused for such a change', async () => {
    start()
    const run = peer.add({
      kind: 'preview',
      driver: 'files',
      driverConfig: { target: inside('target') },
      sandbox: untrusted,
    })
    await ended(run)
    expect(run.finished).toMatchObject([{ status: 'failed', error: { code: 'SANDBOX_UNFIT' } }])
  })

  test('with `require` every plan is inside and an apply beside the worker, unless the stack wants it inside too', async () => {
    start('--sandbox', 'require')
    const run = peer.add({ driverConfig: looking(), checks: [] })
    await ended(run)
    expect(run.log).toBe('hidden\nseen\n')
    const all = peer.add({ driverConfig: looking(), sandbox: { untrusted: false, asked: 'all', network: [] } })
    await ended(all)
    expect(all.log).toBe('hidden\nhidden\n')
  })

  test('checks are inside, and what goes beyond a limit says so', async () => {
    start('--sandbox', 'require', '--sandbox-limits', 'fileSize=1')
    const checks = [
      { name: 'looks', run: `ls ${inside('data')}`, timeoutMs: 100_000 },
      { name: 'fills', run: 'exec head -c 3000000 /dev/zero > big', timeoutMs: 100_000 },
    ]
    const run = peer.add({ kind: 'preview', driverConfig: looking(), checks })
    await ended(run)
    expect(run.plans[0]?.checks).toMatchObject([
      { name: 'looks', output: 'cache\n' },
      { name: 'fills', ok: false, output: expect.stringContaining('LIMIT_FILE_SIZE') },
    ])
    expect(existsSync(inside('data', 'identity.json'))).toBe(true)
  })
})
