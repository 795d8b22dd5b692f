import { afterEach, describe, expect, it } from 'vitest'
import { type StackTest, type StackTestOptions, stackTest } from '../../../test/cloudformation/stack.ts'
import { TrueupError } from '../../lib/errors/error.ts'

const TEMPLATE = `
Parameters:
  Name: { Type: String }
  Size: { Type: Number, Default: 30 }
  Zones: { Type: CommaDelimitedList, Default: a }
  Token: { Type: String, NoEcho: true, Default: none }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: !Ref Name, VisibilityTimeout: !Ref Size }
  Secret:
    Type: AWS::SSM::Parameter
    Properties: { Name: /token, Type: String, Value: !Sub 'token=\${Token}' }
Outputs:
  Token: { Value: !Ref Token }
  Zones: { Value: !Join ['/', !Ref Zones] }
`

let test: StackTest
afterEach(() => test?.close())
const open = async (options: Partial<StackTestOptions> = {}): Promise<void> => {
  test = await stackTest({ files: { 'stack/template.yaml': TEMPLATE }, ...options })
}
const codeOf = (thrown: unknown): string => (thrown instanceof TrueupError ? thrown.code : String(thrown))

describe('parameters', () => {
  it('come from files, settings, the environment and inputs, each over the one before', async () => {
    await open({
      files: {
        'stack/template.yaml': TEMPLATE,
        'stack/all.json':
          '[{"ParameterKey":"Name","ParameterValue":"file"},{"ParameterKey":"Size","ParameterValue":"1"}]',
        'shared/more.yaml': 'Parameters: { Size: 2 }\n',
      },
      with: {
        parameterFiles: ['all.json', '../shared/more.yaml'],
        parameters: { Name: 'settings', Zones: ['x', 'y'] },
        secretParameters: { Token: 'TOKEN' },
      },
      context: {
        env: { TOKEN: 'hunter2-hunter2' },
        inputs: { Name: { value: 'input', sensitive: false }, Other: { value: 1, sensitive: false } },
      },
    })
    const { planned, result } = await test.deploy()
    expect(test.stack().parameters).toEqual({ Name: 'input', Size: '2', Zones: 'x,y', Token: 'hunter2-hunter2' })
    expect(JSON.stringify(planned)).not.toContain('hunter2')
    expect(planned.changes[1]?.attributes).toContainEqual({
      path: 'Value',
      after: expect.stringMatching(/^hmac:/),
      sensitive: true,
    })
    expect(result.outputs['Token']).toEqual({ value: 'hunter2-hunter2', sensitive: true })
    expect(test.context.masked.has('hunter2-hunter2')).toBe(true)
    expect(result.outputs['Zones']).toEqual({ value: 'x/y', sensitive: false })
  })

  it('a changed secret is a change, without either value', async () => {
    await open({
      with: { parameters: { Name: 'jobs' }, secretParameters: { Token: 'TOKEN' } },
      context: { env: { TOKEN: 'first-secret' } },
    })
    await test.deploy()
    expect((await test.plan()).changes).toEqual([])
    const planned = await test.plan({ env: { ...test.context.env, TOKEN: 'second-secret' } })
    expect(planned.changes).toMatchObject([
      {
        address: 'Secret',
        actions: ['update'],
        attributes: [{ path: 'Value', after: expect.stringMatching(/^hmac:/), sensitive: true }],
      },
    ])
    expect(JSON.stringify(planned)).not.toMatch(/first-secret|second-secret/)
  })

  it('a sensitive input is hidden wherever it turns up, and a plain parameter for it is a warning', async () => {
    await open({ context: { inputs: { Name: { value: 'very-secret-name', sensitive: true } } } })
    const planned = await test.plan()
    expect(JSON.stringify(planned)).not.toContain('very-secret-name')
    expect(planned.findings).toMatchObject([{ code: 'secret_without_noecho', path: 'stack/template.yaml', line: 3 }])
  })

  it('changed by an input, a change has the cause input', async () => {
    const inputs = (size: number) => ({ Size: { value: size, sensitive: false } })
    await open({ with: { parameters: { Name: 'jobs' } }, context: { inputs: inputs(30) } })
    await test.deploy()
    const planned = await test.plan({ inputs: inputs(31) })
    expect(planned.changes).toMatchObject([{ address: 'Queue', cause: 'input' }])
  })

  it('that are missing or unknown are named', async () => {
    await open()
    const missing = (await test.plan().catch((error: unknown) => error)) as TrueupError
    expect(missing.code).toBe('CONFIG_INVALID')
    expect(missing.text.why).toContain('parameter Name of the template has no value')
    const config = test.configure({ parameters: { Name: 'a', Nmae: 'b' } })
    const unknown = (await test.plan({ config }).catch((error: unknown) => error)) as TrueupError
    expect(unknown.text.why).toContain('no parameter Nmae')
    const unset = test.configure({ parameters: { Name: 'a' }, secretParameters: { Token: 'NOT_SET' } })
    expect(await test.plan({ config: unset }).catch(codeOf)).toBe('CONFIG_INVALID')
  })
})

describe('settings of the stack', () => {
  it('tags, policy and termination protection are applied, and then are no change', async () => {
    await open({
      files: {
        'stack/template.yaml': TEMPLATE,
        'stack/policy.json':
          '{"Statement":[{"Effect":"Deny","Action":"Update:*","Principal":"*","Resource":"LogicalResourceId/Queue"}]}',
      },
      with: {
        parameters: { Name: 'jobs' },
        tags: { team: 'a' },
        stackPolicy: 'policy.json',
        terminationProtection: true,
      },
    })
    const first = await test.deploy()
    expect(first.planned.changes.at(-1)).toMatchObject({
      address: 'stack:staging-stack',
      attributes: [{ path: 'terminationProtection', after: true }, { path: 'stackPolicy' }],
    })
    expect(first.result.status).toBe('applied')
    expect(test.stack()).toMatchObject({ tags: { team: 'a' }, protected: true })
    expect((await test.plan()).changes).toEqual([])

    // The policy now denies what a merge request wants.
    const denied = await test.deploy({
      config: test.configure({
        parameters: { Name: 'jobs', Size: 31 },
        tags: { team: 'a' },
        stackPolicy: 'policy.json',
        terminationProtection: true,
      }),
    })
    expect(denied.result.resources).toMatchObject([
      { address: 'Queue', status: 'failed', message: expect.stringContaining('denied by stack policy') },
    ])

    test.stack().protected = false
    const drifted = await test.plan({ kind: 'drift' })
    expect(drifted.changes).toMatchObject([
      { address: 'stack:staging-stack', attributes: [{ path: 'terminationProtection', before: false, after: true }] },
    ])
    expect((await test.deploy()).result.status).toBe('applied')
    expect(test.stack().protected).toBe(true)
  })

  it('outputs alone are a change that is executed', async () => {
    await open({ with: { parameters: { Name: 'jobs' } } })
    await test.deploy()
    await test.context.write({ 'stack/template.yaml': `${TEMPLATE}  Url: { Value: !Ref Queue }\n` })
    const { planned, result } = await test.deploy()
    expect(planned.changes).toEqual([
      {
        address: 'Outputs.Url',
        type: 'output',
        actions: ['create'],
        attributes: [{ path: 'Value', unknown: true }],
        cause: 'config',
      },
    ])
    expect(result.outputs['Url']?.value).toMatch(/jobs$/)
    expect((await test.plan()).changes).toEqual([])
  })

  it('a replaced and a removed resource say so', async () => {
    await open({ with: { parameters: { Name: 'jobs' } } })
    await test.deploy()
    const kept = TEMPLATE.replace(/ {2}Secret:\n.*\n.*\n/, '')
    await test.context.write({ 'stack/template.yaml': kept })
    const config = test.configure({ parameters: { Name: 'work' } })
    const { planned, result } = await test.deploy({ config })
    expect(planned.changes).toMatchObject([
      {
        address: 'Queue',
        actions: ['replace'],
        reason: 'replaced because of QueueName',
        attributes: [{ path: 'QueueName', before: 'jobs', after: 'work' }],
      },
      { address: 'Secret', actions: ['delete'] },
    ])
    expect(result.status).toBe('applied')
    expect([...test.server.account.objects.keys()]).toEqual([expect.stringMatching(/work$/)])
  })
})

describe('destroying', () => {
  it('names what is kept, and respects termination protection', async () => {
    const text = TEMPLATE.replace(
      '    Type: AWS::SSM::Parameter',
      '    DeletionPolicy: Retain\n    Type: AWS::SSM::Parameter',
    )
    await open({
      files: { 'stack/template.yaml': text },
      with: { parameters: { Name: 'jobs' }, terminationProtection: true },
    })
    await test.deploy()
    const destroy = { destroy: true, kind: 'destroy' } as const
    expect((await test.plan(destroy)).findings).toMatchObject([{ code: 'termination_protected' }])
    const thrown = (await test.deploy(destroy).catch((error: unknown) => error)) as TrueupError
    expect(thrown.code).toBe('TARGET_DENIED')
    expect(thrown.next).toContain('terminationProtection: false')
    test.stack().protected = false
    const { planned, result } = await test.deploy(destroy)
    expect(planned.changes).toMatchObject([
      { address: 'Queue', actions: ['delete'] },
      { address: 'Secret', actions: ['forget'] },
    ])
    expect(result).toMatchObject({
      status: 'applied',
      findings: [{ code: 'retained', message: expect.stringContaining('Secret') }],
    })
    expect([...test.server.account.objects.keys()]).toEqual(['/token'])
    expect((await test.plan(destroy)).changes).toEqual([])
  })

  it('that AWS cannot finish says what is left', async () => {
    await open({ with: { parameters: { Name: 'jobs' } } })
    await test.deploy()
    test.server.account.failures.push({ logicalId: 'Queue', on: 'DELETE', reason: 'still in use', times: 1 })
    const destroy = { destroy: true, kind: 'destroy' } as const
    const { result } = await test.deploy(destroy)
    expect(result.status).toBe('failed')
    expect(result.resources).toMatchObject([
      { address: 'Queue', status: 'failed', message: 'still in use' },
      { address: 'Secret', status: 'done' },
    ])
    expect((await test.deploy(destroy)).result.status).toBe('applied')
  })
})
