import { afterEach, expect, test, vi } from 'vitest'
import { testContext, type TestContext, type TestContextOptions } from '../testing/context.ts'
import { CommandConfig } from './config.ts'
import { commandDriver as driver } from './index.ts'

let context: TestContext<CommandConfig> | undefined
afterEach(() => context?.remove())

/** A program that answers with the given lines, whatever it is asked. */
async function answering(lines: (object | string)[], more: Partial<TestContextOptions<CommandConfig>> = {}, rest = '') {
  const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  return await program(`cat <<'END'\n${body}\nEND\n${rest}`, more)
}

async function program(script: string, more: Partial<TestContextOptions<CommandConfig>> = {}) {
  context = await testContext<CommandConfig>({
    config: CommandConfig.parse({ executable: './driver.sh', settings: { some: ['thing'] } }),
    files: { 'stack/driver.sh': { content: `#!/bin/sh\ncat > "$HOME/request"\n${script}\n`, mode: 0o755 } },
    ...more,
  })
  return context
}

const done = { type: 'done' }
const change = (address: string, more: object = {}) => ({ type: 'change', address, actions: ['create'], ...more })

test('the request tells the program everything it needs', async () => {
  const inputs = { vpc: { value: 'v', sensitive: true } }
  const its = await program('cat "$HOME/request" >&2; echo \'{"type":"done"}\'', { inputs })
  await driver.plan(await its.next<CommandConfig>({ kind: 'preview' }))
  const again = await its.next<CommandConfig>({ kind: 'preview' })
  await driver.plan(again)
  expect(JSON.parse(again.lines[0] ?? '')).toEqual({
    trueup: 1,
    verb: 'plan',
    run: 'preview',
    destroy: false,
    stack: { repository: 'test', environment: 'staging', name: 'stack', path: 'stack' },
    settings: { some: ['thing'] },
    inputs,
    ignore: [],
    directory: again.directory,
    workspace: again.workspace,
    scratch: again.scratch,
    cache: again.cache,
  })
})

test('a plan is put together from its messages', async () => {
  const its = await answering([
    { type: 'secret', value: 'hunter22' },
    { type: 'log', message: 'the password is hunter22' },
    { type: 'progress', done: 1, total: 2, message: 'looking' },
    change('a', { attributes: [{ path: 'key', before: 'k1', after: { deep: ['k2'] }, sensitive: true }] }),
    { type: 'coverage', checked: 5, unchecked: [{ address: 'z', why: 'cannot look' }] },
    { type: 'coverage', checked: 2 },
    { type: 'output', name: 'url', value: 'http://x' },
    { type: 'output', name: 'key', value: 'sec-ret', sensitive: true },
    { type: 'finding', severity: 'warning', message: 'old', path: 'f', line: 3 },
    { type: 'version', tool: 'thing', version: '1.2.3' },
    done,
  ])
  expect(await driver.plan(its)).toEqual({
    changes: [
      {
        address: 'a',
        type: 'resource',
        actions: ['create'],
        cause: 'config',
        attributes: [{ path: 'key', before: its.hash('k1'), after: its.hash({ deep: ['k2'] }), sensitive: true }],
      },
    ],
    coverage: { checked: 7, unchecked: [{ address: 'z', why: 'cannot look' }] },
    outputs: { url: { value: 'http://x', sensitive: false }, key: { value: 'sec-ret', sensitive: true } },
    findings: [{ severity: 'warning', message: 'old', path: 'f', line: 3 }],
    toolVersions: { thing: '1.2.3' },
  })
  expect(its.lines).toEqual(['the password is ***', '1/2 looking'])
  expect([...its.masked]).toEqual(['hunter22', 'k1', 'k2', 'sec-ret'])
})

test.for([
  ['text on stdout', ['{"type":"log","message":"x"}', 'Hello!'], /line 2 .*not JSON: Hello!/],
  [
    'a value of thousands of levels',
    [`{"type":"output","name":"a","value":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    /line 1 .*nested too deeply/,
  ],
  ['an unknown message', [{ type: 'chnage' }], /line 1/],
  ['an unknown member', [{ type: 'log', message: 'x', level: 'info' }], /level/],
  ['a missing member', [change('a'), { type: 'change', actions: ['create'] }], /line 2 .*address/],
  ['a message of another verb', [{ type: 'applied', address: 'a', status: 'done' }], /no answer to "plan"/],
  ['words after the last one', [done, { type: 'log', message: 'x' }], /after "done"/],
  ['the same address twice', [change('a'), change('a'), done], /twice/],
] as const)('%s is an error that names the line', async ([, lines, why]) => {
  const its = await answering([...lines])
  await expect(driver.plan(its)).rejects.toMatchObject({
    code: 'TOOL_OUTPUT',
    message: expect.stringMatching(why),
  })
})

test('a program that talks nonsense is not waited for', async () => {
  const its = await program('echo nonsense; sleep 300')
  const startedAt = performance.now()
  await expect(driver.plan(its)).rejects.toMatchObject({ code: 'TOOL_OUTPUT' })
  // A shell loses a SIGINT that comes while it starts a command; then it takes the grace of ten seconds.
  expect(performance.now() - startedAt).toBeLessThan(20_000)
})

test.for([
  ['ends without a word', 'echo "Traceback: boom" >&2; exit 1', 'TOOL_FAILED', /exit code 1:\nTraceback: boom/],
  ['says done and fails all the same', 'echo \'{"type":"done"}\'; exit 3', 'TOOL_FAILED', /exit code 3/],
  ['dies', 'kill -SEGV $$', 'TOOL_FAILED', /SIGSEGV/],
  [
    'reports an error',
    'echo \'{"type":"error","fault":"unreachable","message":"no route"}\'; exit 1',
    'TARGET_UNREACHABLE',
    /no route/,
  ],
] as const)('a program that %s is an error', async ([, script, code, why]) => {
  const its = await program(script)
  await expect(driver.plan(its)).rejects.toMatchObject({ code, message: expect.stringMatching(why) })
})

test('an executable that is not there is TOOL_MISSING', async () => {
  context = await testContext<CommandConfig>({ config: CommandConfig.parse({ executable: './none' }) })
  await expect(driver.versions(context)).rejects.toMatchObject({ code: 'TOOL_MISSING' })
})

test('an apply that stops half-way says which resources were done', async () => {
  const planned = await answering([change('a'), change('b'), change('c'), done])
  const plan = await driver.plan(planned)
  await context?.remove()
  const its = await answering(
    [
      { type: 'applied', address: 'a', status: 'done' },
      { type: 'applied', address: 'b', status: 'failed', message: 'quota' },
    ],
    {},
    'echo "out of quota" >&2; exit 1',
  )
  const result = await driver.apply(its, plan)
  expect(result).toMatchObject({
    status: 'failed',
    resources: [
      { address: 'a', status: 'done' },
      { address: 'b', status: 'failed', message: 'quota' },
      { address: 'c', status: 'skipped' },
    ],
  })
  expect(result.findings[0]?.message).toContain('out of quota')
})

test('an apply that fails without a word may have changed something, unless it says that it was refused', async () => {
  const plan = { changes: [{ ...base, address: 'a' }], ...nothing }
  expect(await driver.apply(await program('echo boom >&2; exit 1'), plan)).toMatchObject({
    status: 'failed',
    resources: [{ status: 'skipped' }],
  })
  await context?.remove()
  const locked = await answering([{ type: 'error', fault: 'locked', message: 'somebody else is at it' }])
  await expect(driver.apply(locked, plan)).rejects.toMatchObject({ code: 'STATE_LOCKED' })
})

test('an apply that talks nonsense after it has begun says which resources were done', async () => {
  const its = await answering([{ type: 'applied', address: 'a', status: 'done' }, 'Traceback (most recent call last)'])
  const changes = ['a', 'b'].map((address) => ({ ...base, address }))
  expect(await driver.apply(its, { changes, ...nothing })).toMatchObject({
    status: 'failed',
    resources: [{ status: 'done' }, { status: 'skipped' }],
    findings: [{ severity: 'error', message: expect.stringContaining('not JSON: Traceback') }],
  })
})

test('a line that is too long is said to be too long', async () => {
  const its = await program('head -c 5000000 /dev/zero | tr "\\0" x; echo')
  await expect(driver.plan(its)).rejects.toMatchObject({
    code: 'TOOL_OUTPUT',
    message: expect.stringContaining('line 1 of its answer: longer than 4 MiB'),
  })
})

test('an apply that is canceled keeps what was said before', async () => {
  const applied = JSON.stringify({ type: 'applied', address: 'a', status: 'done' })
  const its = await program(`echo '${applied}'; echo ready >&2; sleep 300`)
  const plan = {
    changes: [
      { ...base, address: 'a' },
      { ...base, address: 'b' },
    ],
    ...nothing,
  }
  const applying = driver.apply(its, plan)
  await vi.waitFor(() => expect(its.lines).toContain('ready'), 180_000)
  its.cancel()
  expect(await applying).toMatchObject({
    status: 'canceled',
    resources: [
      { address: 'a', status: 'done' },
      { address: 'b', status: 'skipped' },
    ],
  })
})

test('the program gets the plan, and what it does beyond it is noted', async () => {
  const its = await program(
    'cat "$HOME/request" >&2; echo \'{"type":"applied","address":"other","status":"done"}\'; echo \'{"type":"done"}\'',
  )
  const result = await driver.apply(its, { changes: [{ ...base, address: 'a' }], ...nothing })
  expect(result).toMatchObject({ status: 'applied', resources: [{ address: 'a', status: 'done' }] })
  expect(result.findings[0]?.message).toContain('other, which was not in the plan')
  expect(JSON.parse(its.lines[0] ?? '')).toMatchObject({
    verb: 'apply',
    plan: { changes: [{ address: 'a', resource: 'host' }] },
  })
})

test('a program outside the stack is something the stack depends on', async () => {
  const dependencies = (executable: string) =>
    driver.dependencies(
      async () => null,
      async () => [],
      'infra/dns',
      CommandConfig.parse({ executable }),
    )
  expect(await dependencies('../../tools/dns.py')).toEqual(['tools/dns.py'])
  expect(await dependencies('./dns.py')).toEqual([])
  expect(await dependencies('dns-tool')).toEqual([])
  expect(await dependencies('../../../outside')).toEqual([])
})

const base = { type: 'host', actions: ['create' as const], attributes: [], cause: 'config' as const }
const nothing = { coverage: { checked: 0, unchecked: [] }, outputs: {}, findings: [], toolVersions: {} }
