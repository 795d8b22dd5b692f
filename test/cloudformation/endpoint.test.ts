/**
 * The driver against an endpoint that the environment names, so that moto and real AWS are asked the same as the double:
 *
 *     TRUEUP_TEST_CLOUDFORMATION=moto TRUEUP_TEST_CLOUDFORMATION_ENDPOINT=http://127.0.0.1:5000 npm test -- test/cloudformation
 *     TRUEUP_TEST_CLOUDFORMATION=aws  AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=… npm test -- test/cloudformation
 *
 * Without it: the double. What an endpoint is known to do otherwise stands in GAPS, and is skipped by name there.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CloudFormationConfig } from '../../src/drivers/cloudformation/config.ts'
import { cloudformationDriver } from '../../src/drivers/cloudformation/index.ts'
import { type TestContext, testContext } from '../../src/drivers/testing/context.ts'
import { type CloudFormationServer, startCloudFormation } from './server.ts'
import { CREDENTIALS } from './stack.ts'

const kind = process.env.TRUEUP_TEST_CLOUDFORMATION ?? 'double'

const GAPS: { readonly [kind: string]: { readonly [behaviour: string]: string } } = {
  moto: {
    events: 'it has events of the stack only, none of resources',
    failure: 'it takes values that the service refuses, and leaves what fails in progress for ever',
    'parameter-change': 'a change by a parameter alone is not listed in the change set',
    'property-values': 'change sets list no property values, and no replacement',
    coverage: 'it has no drift detection',
    outputs: 'a stack made by a change set has no outputs',
  },
}

const name = `trueup-test-${randomUUID().slice(0, 8)}`
const template = (timeout: number, more = ''): string => `Parameters:
  Delay: { Type: Number, Default: 1 }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: ${name}, VisibilityTimeout: ${timeout}, DelaySeconds: !Ref Delay }
${more}Outputs:
  Name: { Value: !GetAtt Queue.QueueName }
`

describe(`CloudFormation at ${kind}`, () => {
  let server: CloudFormationServer | undefined
  let context: TestContext<CloudFormationConfig>
  const settings: { [setting: string]: unknown } = {}

  beforeAll(async () => {
    if (kind === 'double') server = await startCloudFormation()
    const endpoint = server?.url ?? process.env.TRUEUP_TEST_CLOUDFORMATION_ENDPOINT
    const region = server?.account.region ?? process.env.AWS_REGION ?? 'us-east-1'
    Object.assign(settings, {
      stackName: name,
      region,
      pollSeconds: kind === 'aws' ? 2 : 0.05,
      ...(endpoint && { endpoint }),
    })
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = process.env
    const own = {
      ...(id && { AWS_ACCESS_KEY_ID: id }),
      ...(secret && { AWS_SECRET_ACCESS_KEY: secret }),
      ...(token && { AWS_SESSION_TOKEN: token }),
    }
    context = await testContext({
      config: CloudFormationConfig.parse(settings),
      files: { 'stack/template.yaml': template(30) },
      env: kind === 'aws' ? own : CREDENTIALS,
    })
  })
  afterAll(async () => {
    await deploy({ destroy: true, kind: 'destroy' }).catch(() => undefined)
    await context.remove()
    await server?.close()
  })

  const plan = async (changes: Partial<TestContext<CloudFormationConfig>> = {}) =>
    cloudformationDriver.plan(await context.next<CloudFormationConfig>({ kind: 'preview', ...changes }))
  async function deploy(changes: Partial<TestContext<CloudFormationConfig>> = {}) {
    const run = await context.next<CloudFormationConfig>({ kind: 'deploy', ...changes })
    const planned = await cloudformationDriver.plan(run)
    return { planned, result: await cloudformationDriver.apply(run, planned), lines: run.lines }
  }
  const source = (text: string): Promise<void> => context.write({ 'stack/template.yaml': text })
  const behaviour = (key: string, title: string, body: () => Promise<void>): void => {
    const gap = GAPS[kind]?.[key]
    if (gap === undefined) it(title, body)
    else it.skip(`${title} (${kind}: ${gap})`, body)
  }

  behaviour('create', 'creates, and has nothing to do afterwards', async () => {
    const { planned, result } = await deploy()
    expect(planned.changes.map(({ address, actions }) => [address, ...actions])).toEqual([['Queue', 'create']])
    expect(result.status).toBe('applied')
    expect((await plan()).changes).toEqual([])
    expect((await deploy()).result).toMatchObject({ status: 'applied', resources: [] })
  })
  behaviour('outputs', 'gives the outputs', async () => {
    expect((await deploy()).result.outputs).toEqual({ Name: { value: name, sensitive: false } })
  })
  behaviour('update', 'changes what changed in the template', async () => {
    await source(template(60))
    const { planned, result } = await deploy()
    expect(planned.changes).toMatchObject([
      { address: 'Queue', actions: ['update'], attributes: [{ path: 'VisibilityTimeout', before: '30', after: '60' }] },
    ])
    expect(result.status).toBe('applied')
    expect((await plan()).changes).toEqual([])
  })
  behaviour('property-values', 'knows what is replaced', async () => {
    await source(template(60).replace(`QueueName: ${name}`, `QueueName: ${name}-b`))
    expect((await plan()).changes).toMatchObject([{ address: 'Queue', actions: ['replace'] }])
    await source(template(60))
  })
  behaviour('parameter-change', 'changes what a parameter changes', async () => {
    const config = CloudFormationConfig.parse({ ...settings, parameters: { Delay: 2 } })
    expect((await plan({ config })).changes).toMatchObject([
      { address: 'Queue', attributes: [{ path: 'DelaySeconds', before: '1', after: '2' }] },
    ])
  })
  behaviour('events', 'logs the events of resources', async () => {
    await source(template(61))
    expect((await deploy()).lines).toContain('Queue UPDATE_COMPLETE')
  })
  behaviour('coverage', 'looks at every resource', async () => {
    expect((await plan({ kind: 'drift' })).coverage).toEqual({ checked: 1, unchecked: [] })
  })
  behaviour('failure', 'rolls back what does not work, and says why', async () => {
    await source(template(99_999))
    const { result } = await deploy()
    expect(result.status).toBe('failed')
    expect(result.resources).toMatchObject([{ address: 'Queue', status: 'failed' }])
    await source(template(61))
    expect((await plan()).changes).toEqual([])
  })
  behaviour('add-and-remove', 'adds and removes resources', async () => {
    const topic = '  Topic: { Type: AWS::SNS::Topic }\n'
    await source(template(61, topic))
    expect((await deploy()).result.status).toBe('applied')
    await source(template(61))
    expect((await deploy()).planned.changes).toMatchObject([{ address: 'Topic', actions: ['delete'] }])
  })
  behaviour('destroy', 'removes everything', async () => {
    const { planned, result } = await deploy({ destroy: true, kind: 'destroy' })
    expect(planned.changes.map(({ actions }) => actions)).toEqual([['delete']])
    expect(result.status).toBe('applied')
    expect((await plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
  })
})
