import { afterEach, describe, expect, it } from 'vitest'
import { type StackTest, type StackTestOptions, stackTest } from '../../../test/cloudformation/stack.ts'

const TEMPLATE = `AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Stage: { Type: String, Default: dev }
  Timeout: { Type: Number, Default: 30 }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub 'jobs-\${Stage}'
      VisibilityTimeout: !Ref Timeout
  Topic:
    Type: AWS::SNS::Topic
    Properties: { DisplayName: Jobs }
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: { TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn }
Outputs:
  QueueUrl: { Value: !Ref Queue }
  Stage: { Value: !Ref Stage }
`

let test: StackTest
afterEach(() => test?.close())
const open = async (options: Partial<StackTestOptions> = {}): Promise<void> => {
  test = await stackTest({ files: { 'stack/template.yaml': TEMPLATE }, ...options })
}

describe('plans and applies', () => {
  it('creates, then has nothing to do, then changes one property', async () => {
    await open()
    const { planned, result, context } = await test.deploy()
    expect(planned.changes.map(({ address, type, actions }) => [address, type, actions])).toEqual([
      ['Queue', 'AWS::SQS::Queue', ['create']],
      ['Topic', 'AWS::SNS::Topic', ['create']],
      ['Subscription', 'AWS::SNS::Subscription', ['create']],
    ])
    expect(planned.changes[2]?.attributes).toContainEqual({ path: 'TopicArn', unknown: true })
    expect(planned.outputs).toEqual({
      QueueUrl: { value: null, sensitive: false, unknown: true },
      Stage: { value: 'dev', sensitive: false },
    })
    expect(result).toMatchObject({ status: 'applied', findings: [] })
    expect(result.outputs['QueueUrl']?.value).toMatch(/jobs-dev$/)
    expect(context.lines).toContain('Queue CREATE_COMPLETE')

    expect((await test.deploy()).planned).toMatchObject({ changes: [], coverage: { checked: 3, unchecked: [] } })

    await test.context.write({ 'stack/template.yaml': TEMPLATE.replace('Default: 30', 'Default: 60') })
    const second = await test.deploy()
    expect(second.planned.changes).toEqual([
      {
        address: 'Queue',
        type: 'AWS::SQS::Queue',
        actions: ['update'],
        attributes: [{ path: 'VisibilityTimeout', before: '30', after: '60' }],
        cause: 'config',
      },
    ])
    expect(second.result.status).toBe('applied')
    expect(test.real('Queue').properties['VisibilityTimeout']).toBe('60')
  })
})
