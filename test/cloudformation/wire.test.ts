import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithTool } from '../tools.ts'
import { type CloudFormationServer, startCloudFormation } from './server.ts'

const run = promisify(execFile)

const TEMPLATE = JSON.stringify({
  Parameters: { Timeout: { Type: 'Number', Default: 30 } },
  Resources: {
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs', VisibilityTimeout: { Ref: 'Timeout' } } },
  },
  Outputs: { Url: { Value: { Ref: 'Queue' } } },
})

/** The double speaks as the service does: what the real command line makes of its answers. */
describeWithTool('aws', 'the double and the AWS command line', (tool) => {
  let server: CloudFormationServer
  beforeAll(async () => {
    server = await startCloudFormation()
  })
  afterAll(() => server.close())

  const aws = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await run(
      tool.path,
      ['cloudformation', ...args, '--endpoint-url', server.url, '--output', 'json'],
      {
        env: {
          PATH: process.env.PATH,
          HOME: '/nonexistent',
          AWS_ACCESS_KEY_ID: 'AKIATEST',
          AWS_SECRET_ACCESS_KEY: 'secret',
          AWS_DEFAULT_REGION: server.account.region,
          AWS_PAGER: '',
        },
      },
    )
    return stdout.trim() === '' ? {} : JSON.parse(stdout)
  }

  it('agree on change sets, events, drift, waiters and errors', async () => {
    const changeSet = ['--stack-name', 'demo', '--change-set-name', 'first']
    await aws('create-change-set', ...changeSet, '--change-set-type', 'CREATE', '--template-body', TEMPLATE)
    await aws('wait', 'change-set-create-complete', ...changeSet)
    expect(await aws('describe-change-set', ...changeSet, '--include-property-values')).toMatchObject({
      Status: 'CREATE_COMPLETE',
      ExecutionStatus: 'AVAILABLE',
      Parameters: [{ ParameterKey: 'Timeout', ParameterValue: '30' }],
      Changes: [
        {
          Type: 'Resource',
          ResourceChange: {
            Action: 'Add',
            LogicalResourceId: 'Queue',
            AfterContext: '{"Properties":{"QueueName":"jobs","VisibilityTimeout":"30"}}',
          },
        },
      ],
    })
    await aws('execute-change-set', ...changeSet)
    await aws('wait', 'stack-create-complete', '--stack-name', 'demo')
    expect(await aws('describe-stacks', '--stack-name', 'demo')).toMatchObject({
      Stacks: [{ StackStatus: 'CREATE_COMPLETE', Outputs: [{ OutputKey: 'Url' }], EnableTerminationProtection: false }],
    })
    const { StackEvents } = (await aws('describe-stack-events', '--stack-name', 'demo')) as { StackEvents: object[] }
    expect(StackEvents[0]).toMatchObject({ LogicalResourceId: 'demo', ResourceStatus: 'CREATE_COMPLETE' })

    ;[...server.account.objects.values()][0]!.properties['VisibilityTimeout'] = 99
    const started = (await aws('detect-stack-drift', '--stack-name', 'demo')) as { StackDriftDetectionId: string }
    let status: unknown = {}
    const id = started.StackDriftDetectionId
    do status = await aws('describe-stack-drift-detection-status', '--stack-drift-detection-id', id)
    while ((status as { DetectionStatus: string }).DetectionStatus === 'DETECTION_IN_PROGRESS')
    expect(status).toMatchObject({ StackDriftStatus: 'DRIFTED', DriftedStackResourceCount: 1 })
    expect(await aws('describe-stack-resource-drifts', '--stack-name', 'demo')).toMatchObject({
      StackResourceDrifts: [
        {
          StackResourceDriftStatus: 'MODIFIED',
          PropertyDifferences: [
            { PropertyPath: '/VisibilityTimeout', ExpectedValue: '30', ActualValue: '99', DifferenceType: 'NOT_EQUAL' },
          ],
        },
      ],
    })

    const again = ['--stack-name', 'demo', '--change-set-name', 'again']
    await aws('create-change-set', ...again, '--use-previous-template')
    const waited = await aws('wait', 'change-set-create-complete', ...again).catch((error: Error) => error.message)
    expect(String(waited)).toContain('terminal failure')
    const missing = await aws('describe-stacks', '--stack-name', 'none').catch(
      (error: { stderr: string }) => error.stderr,
    )
    expect(String(missing)).toContain(
      '(ValidationError) when calling the DescribeStacks operation: Stack with id none does not exist',
    )
    await aws('delete-stack', '--stack-name', 'demo')
    await aws('wait', 'stack-delete-complete', '--stack-name', 'demo')
    expect(server.account.objects.size).toBe(0)
  })
})
