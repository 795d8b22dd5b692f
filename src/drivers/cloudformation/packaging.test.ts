import { afterEach, describe, expect, it } from 'vitest'
import { type StackTest, stackTest } from '../../../test/cloudformation/stack.ts'
import type { TrueupError } from '../../lib/errors/error.ts'
import { packed } from './source/zip.ts'

const SAM = `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: { Runtime: nodejs22.x, Timeout: 5 }
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      CodeUri: ../src
      Events: { Nightly: { Type: Schedule, Properties: { Schedule: rate(1 day) } } }
`
const ROOT = `
Parameters: { Name: { Type: String, Default: jobs } }
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: nested/queue.yaml
      Parameters: { Name: !Ref Name }
Outputs:
  Url: { Value: !GetAtt Inner.Outputs.Url }
`
const NESTED = `
Parameters: { Name: { Type: String } }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: !Ref Name, DelaySeconds: 1 }
Outputs:
  Url: { Value: !Ref Queue }
`

let test: StackTest
afterEach(() => test?.close())

describe('serverless functions', () => {
  const open = async (): Promise<void> => {
    test = await stackTest({
      files: {
        'stack/template.yaml': SAM,
        'src/app.mjs': 'export const handler = async () => 1\n',
        'src/bin/run': { content: '#!/bin/sh\n', mode: 0o755 },
      },
      with: { bucket: 'artefacts', capabilities: ['CAPABILITY_IAM'] },
    })
    test.server.account.buckets.add('artefacts')
  }

  it('are packaged and deployed; a change of the code is a change of the function', async () => {
    await open()
    const preview = await test.plan({ kind: 'preview' })
    expect(preview.changes.map(({ address, type }) => [address, type])).toContainEqual([
      'Hello',
      'AWS::Lambda::Function',
    ])
    expect([...test.server.account.files.keys()], 'a preview uploads no code').toEqual([])

    const { result, context } = await test.deploy()
    expect(result.status).toBe('applied')
    const [key] = [...test.server.account.files.keys()]
    expect(key).toMatch(/^artefacts\/trueup\/[0-9a-f]{64}\.zip$/)
    expect(test.real('Hello').properties['Code']).toEqual({
      S3Bucket: 'artefacts',
      S3Key: key!.slice('artefacts/'.length),
    })
    expect(context.lines.some((line) => line.startsWith('uploaded s3://artefacts/'))).toBe(true)
    expect((await test.plan()).changes).toEqual([])

    await test.context.write({ 'src/app.mjs': 'export const handler = async () => 2\n' })
    const second = await test.deploy()
    expect(second.planned.changes).toMatchObject([
      { address: 'Hello', actions: ['update'], attributes: [{ path: 'Code.S3Key' }] },
    ])
    expect(second.result.status).toBe('applied')
    expect(test.server.account.files.size).toBe(2)
  })

  it('need a bucket that is there', async () => {
    await open()
    test.server.account.buckets.clear()
    const run = test.deploy().catch((error: unknown) => error)
    expect(((await run) as TrueupError).text.why).toBe('there is no such bucket')
    const none = await test.plan({ config: test.configure({ bucket: undefined }) }).catch((error: unknown) => error)
    expect(none).toMatchObject({
      code: 'CONFIG_INVALID',
      text: { why: expect.stringContaining('line 10 names the local path ../src') },
    })
  })

  it('that have drifted are healed by AWS, or said to be beyond it', async () => {
    for (const revertDrift of [true, false]) {
      await open()
      test.server.account.revertDrift = revertDrift
      await test.deploy()
      test.real('Hello').properties['Timeout'] = 99
      const { planned, result } = await test.deploy({ kind: 'heal' })
      expect(planned.changes).toMatchObject([{ address: 'Hello', cause: 'drift', attributes: [{ path: 'Timeout' }] }])
      expect(result.status).toBe(revertDrift ? 'applied' : 'failed')
      expect(planned.findings.map(({ code }) => code)).toEqual(revertDrift ? [] : ['drift_not_healable'])
      if (revertDrift) await test.close()
    }
  })

  it('are packed into the same bytes wherever and whenever', async () => {
    await open()
    const one = await packed(`${test.context.workspace}/src`)
    await test.context.write({
      'other/app.mjs': 'export const handler = async () => 1\n',
      'other/bin/run': { content: '#!/bin/sh\n', mode: 0o755 },
    })
    const timezone = process.env.TZ
    process.env.TZ = 'Asia/Tokyo'
    try {
      expect((await packed(`${test.context.workspace}/other`)).equals(one)).toBe(true)
    } finally {
      process.env.TZ = timezone
    }
  })
})

describe('nested stacks', () => {
  const open = async (): Promise<void> => {
    test = await stackTest({
      files: { 'stack/template.yaml': ROOT, 'stack/nested/queue.yaml': NESTED },
      with: { bucket: 'artefacts' },
    })
    test.server.account.buckets.add('artefacts')
  }

  it('show what is inside them, are deployed, and their drift is found', async () => {
    await open()
    const { planned, result } = await test.deploy()
    expect(planned.changes.map(({ address }) => address)).toEqual(['Inner', 'Inner/Queue'])
    expect(result.status).toBe('applied')
    expect(result.outputs['Url']?.value).toMatch(/jobs$/)
    expect((await test.plan()).changes).toEqual([])

    await test.context.write({ 'stack/nested/queue.yaml': NESTED.replace('DelaySeconds: 1', 'DelaySeconds: 2') })
    const second = await test.deploy()
    expect(second.planned.changes).toContainEqual(
      expect.objectContaining({
        address: 'Inner/Queue',
        attributes: [{ path: 'DelaySeconds', before: '1', after: '2' }],
      }),
    )
    expect(second.result.status).toBe('applied')

    const queue = [...test.server.account.objects.values()].find(({ type }) => type === 'AWS::SQS::Queue')!
    queue.properties['DelaySeconds'] = 9
    const drift = await test.plan({ kind: 'drift' })
    expect(drift.changes).toContainEqual(
      expect.objectContaining({
        address: 'Inner/Queue',
        cause: 'drift',
        attributes: [{ path: 'DelaySeconds', before: '9', after: '2' }],
      }),
    )
  })

  it('that fail say what failed inside', async () => {
    await open()
    await test.deploy()
    test.server.account.failures.push({ logicalId: 'Queue', on: 'UPDATE', reason: 'no more queues', times: 1 })
    await test.context.write({ 'stack/nested/queue.yaml': NESTED.replace('DelaySeconds: 1', 'DelaySeconds: 2') })
    const { result } = await test.deploy()
    expect(result.status).toBe('failed')
    expect(result.resources).toContainEqual(
      expect.objectContaining({ address: 'Inner/Queue', status: 'failed', message: 'no more queues' }),
    )
  })
})

describe('large templates and imports', () => {
  it('a template above 51,200 bytes goes through the bucket', async () => {
    const filler = Array.from(
      { length: 900 },
      (_, i) => `  T${i}: { Type: AWS::SNS::Topic, Properties: { DisplayName: '${'x'.repeat(20)}' } }`,
    )
    test = await stackTest({ files: { 'stack/template.yaml': `Resources:\n${filler.join('\n')}\n` } })
    const refused = await test.plan().catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'CONFIG_INVALID', text: { next: expect.stringContaining('with.bucket') } })
    test.server.account.buckets.add('artefacts')
    const planned = await test.plan({ config: test.configure({ bucket: 'artefacts' }) })
    expect(planned.changes).toHaveLength(900)
  })

  it.each([
    ['Retain', 'forget'],
    ['Delete', 'delete'],
  ])('an existing resource is taken into the stack, and goes by its policy: %s', async (policy, goes) => {
    const before = 'Resources:\n  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: news } }\n'
    const both = `Resources:
  Topic: { Type: AWS::SNS::Topic, Properties: { TopicName: news } }
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: ${policy}
    Properties: { TableName: people, KeySchema: [] }
`
    test = await stackTest({
      files: { 'stack/template.yaml': before },
      with: { imports: [{ logicalId: 'Table', type: 'AWS::DynamoDB::Table', identifier: { TableName: 'people' } }] },
    })
    await test.deploy()
    test.server.account.objects.set('people', {
      type: 'AWS::DynamoDB::Table',
      physicalId: 'people',
      properties: { TableName: 'people', KeySchema: [] },
    })
    await test.context.write({ 'stack/template.yaml': both })
    const { planned, result } = await test.deploy()
    expect(planned.changes).toMatchObject([{ address: 'Table', actions: ['import'] }])
    expect(result.status).toBe('applied')
    expect(test.stack().status).toBe('IMPORT_COMPLETE')
    expect((await test.plan()).changes).toEqual([])
    // The gate lets a rollback delete nothing that was imported, and asks nobody to let go of it.
    await test.context.write({ 'stack/template.yaml': before })
    const back = { rollback: true, config: test.configure({ imports: [] }) }
    expect((await test.plan(back)).changes).toMatchObject([{ address: 'Table', actions: [goes] }])
    if (goes === 'delete') return
    expect((await test.deploy(back)).result.status).toBe('applied')
    expect([...test.server.account.objects.keys()]).toContain('people')
  })
})
