import { afterEach, expect, test, vi } from 'vitest'
import { testContext, type TestContext, type TestContextOptions } from '../testing/context.ts'
import { CommandConfig } from './config.ts'
import { commandDriver as driver } from './index.ts'

let context: TestContext<CommandConfig> | undefined
afterEach(() => context?.remove())

async function open(config: object, more: Partial<TestContextOptions<CommandConfig>> = {}) {
  context = await testContext<CommandConfig>({ config: CommandConfig.parse({ apply: 'true', ...config }), ...more })
  return context
}

test.for([
  [0, 0],
  [2, 1],
])('exit code %i of `plan` means %i changes', async ([code, changes]) => {
  const its = await open({ plan: `echo something; exit ${code}` })
  expect((await driver.plan(its)).changes).toHaveLength(changes!)
})

test('any other exit code is an error that says what the tool said last', async () => {
  const its = await open({ plan: 'echo noise; echo "no credentials" >&2; exit 7' })
  await expect(driver.plan(its)).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: expect.stringMatching(/exit code 7:\nno credentials/),
  })
})

test('the plan text is the same whatever colours the tool uses', async () => {
  const its = await open({ plan: "printf '\\033[32m+ web\\033[0m  \\n\\n'; exit 2" })
  expect((await driver.plan(its)).changes[0]?.attributes).toEqual([{ path: 'plan', after: '+ web' }])
})

test('a very long plan text is cut for readers, but two that differ at the end still differ', async () => {
  const script = (last: string) => ({ plan: `head -c 300000 /dev/zero | tr '\\0' x; echo ${last}; exit 2` })
  const one = await driver.plan(await open(script('a')))
  await context?.remove()
  const other = await driver.plan(await open(script('b')))
  expect(JSON.stringify(one.changes[0]?.attributes[0]?.after).length).toBeLessThan(140_000)
  expect(one.changes[0]?.attributes[0]).toEqual(other.changes[0]?.attributes[0])
  expect(one.changes[0]?.attributes[1]).not.toEqual(other.changes[0]?.attributes[1])
})

test('apply gets the text of the plan, inputs, names and directories', async () => {
  const apply = [
    'cat "$TRUEUP_PLAN_FILE"',
    'echo "$TRUEUP_REPOSITORY $TRUEUP_ENVIRONMENT $TRUEUP_STACK $TRUEUP_INPUT_VPC_ID $TRUEUP_INPUT_ZONES"',
    'test -d "$TRUEUP_SCRATCH" && test -d "$TRUEUP_CACHE" && pwd',
  ].join('; ')
  const inputs = { 'vpc-id': { value: 'vpc-1', sensitive: false }, zones: { value: ['a', 'b'], sensitive: false } }
  const its = await open({ plan: 'echo the plan; exit 2', apply }, { inputs })
  expect(await driver.apply(its, await driver.plan(its))).toMatchObject({ status: 'applied' })
  expect(its.lines.slice(1)).toEqual(['the plan', 'test staging stack vpc-1 ["a","b"]', its.directory])
})

test('two inputs that would get the same name are refused', async () => {
  const value = { value: 'x', sensitive: false }
  const its = await open({ plan: 'true' }, { inputs: { 'a-b': value, a_b: value } })
  await expect(driver.plan(its)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('a JSON plan has resources and attributes, and sensitive ones leave as hashes', async () => {
  const attributes = [
    { path: 'password', before: 'old-secret', after: 'new-secret', sensitive: true },
    { path: 'size', after: 3 },
  ]
  const change = { address: 'db', resource: 'database', actions: ['update'], attributes, reason: 'because' }
  const its = await open({
    plan: `echo '${JSON.stringify({ changes: [change] })}'; echo looked >&2; exit 2`,
    planFormat: 'json',
  })
  const { changes } = await driver.plan(its)
  expect(changes).toMatchObject([
    {
      address: 'db',
      type: 'database',
      reason: 'because',
      attributes: [
        { path: 'password', before: its.hash('old-secret'), after: its.hash('new-secret'), sensitive: true },
        { path: 'size', after: 3 },
      ],
    },
  ])
  expect(JSON.stringify(changes)).not.toContain('secret"')
  expect([...its.masked]).toEqual(['old-secret', 'new-secret'])
  expect(its.lines).toEqual(['looked'])
})

test.for([
  ['no JSON', 'oops', /not JSON/],
  ['of another shape', '{"changes":[{"address":"x"}]}', /actions/],
  [
    'with an address twice',
    '{"changes":[{"address":"x","actions":["create"]},{"address":"x","actions":["delete"]}]}',
    /twice/,
  ],
])('a JSON plan that is %s is an error that says so', async ([, text, why]) => {
  const its = await open({ plan: `printf '%s' '${text as string}'`, planFormat: 'json' })
  await expect(driver.plan(its)).rejects.toMatchObject({
    code: 'TOOL_OUTPUT',
    message: expect.stringMatching(why as RegExp),
  })
})

test('drift runs use `drift`', async () => {
  const its = await open({ plan: 'exit 0', drift: 'echo moved; exit 2' })
  expect((await driver.plan(its)).changes).toEqual([])
  const { changes } = await driver.plan(await its.next<CommandConfig>({ kind: 'drift' }))
  expect(changes).toMatchObject([{ cause: 'drift', attributes: [{ after: 'moved' }] }])
})

test('an apply that fails says that it is not known what was done', async () => {
  const its = await open({ plan: 'echo x; exit 2', apply: 'echo half; echo broken >&2; exit 4' })
  expect(await driver.apply(its, await driver.plan(its))).toMatchObject({
    status: 'failed',
    resources: [{ address: 'command', status: 'failed', message: expect.stringContaining('not known') }],
    findings: [{ severity: 'error', message: 'apply: exit code 4\nbroken' }],
  })
})

test('an apply that is canceled says so', async () => {
  const its = await open({ plan: 'echo x; exit 2', apply: 'echo ready; sleep 60' })
  const plan = await driver.plan(its)
  const applying = driver.apply(its, plan)
  await vi.waitFor(() => expect(its.lines).toContain('ready'), 180_000)
  its.cancel()
  expect(await applying).toMatchObject({ status: 'canceled' })
})

test('outputs come from the file; sensitive ones are masked from then on', async () => {
  const outputs = { plain: [1, 2], token: { value: { a: ['tok-123'] }, sensitive: true } }
  const its = await open({ plan: 'exit 2', apply: `echo '${JSON.stringify(outputs)}' > "$TRUEUP_OUTPUTS_FILE"` })
  expect(await driver.apply(its, await driver.plan(its))).toMatchObject({
    outputs: { plain: { value: [1, 2], sensitive: false }, token: { value: { a: ['tok-123'] }, sensitive: true } },
  })
  expect([...its.masked]).toEqual(['tok-123'])
})

test.for([
  ['no JSON object', 'echo nope > "$TRUEUP_OUTPUTS_FILE"'],
  ['too long', 'head -c 5000000 /dev/zero > "$TRUEUP_OUTPUTS_FILE"'],
  ['a pipe', 'mkfifo "$TRUEUP_OUTPUTS_FILE"'],
] as const)('outputs that are %s are an error', async ([, plan]) => {
  const its = await open({ plan })
  await expect(driver.plan(its)).rejects.toMatchObject({ code: 'TOOL_OUTPUT' })
})

test('the version is read from the first line and checked', async () => {
  expect(await driver.versions(await open({ plan: 'true', version: 'echo "tool v4.2.1 linux"' }))).toEqual({
    command: '4.2.1',
  })
  await context?.remove()
  const old = await open({ plan: 'true', version: 'echo 4.2.1' }, { toolVersion: '>=5' })
  await expect(driver.versions(old)).rejects.toMatchObject({ code: 'TOOL_VERSION' })
  await context?.remove()
  const missing = await open({ plan: 'true', version: 'no-such-tool --version' })
  await expect(driver.versions(missing)).rejects.toMatchObject({ code: 'TOOL_MISSING' })
})

test('a stack without a destroy command cannot be destroyed, and says what to do', async () => {
  const its = await open({ plan: 'true' }, { destroy: true })
  await expect(driver.plan(its)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect(driver.capabilitiesOf?.(its.config)).toMatchObject({ destroy: false, idempotentApply: false })
})

test.for([
  [{ plan: 'x' }, /apply/],
  [{ executable: './x', plan: 'y' }, /plan/],
  [{}, /either/],
  [{ plan: 'x', apply: 'y', shell: 'bash' }, /absolute path/],
])('settings %j are refused with a reason', ([given, why]) => {
  const parsed = CommandConfig.safeParse(given)
  expect(parsed.error?.issues[0]?.message).toMatch(why as RegExp)
})
