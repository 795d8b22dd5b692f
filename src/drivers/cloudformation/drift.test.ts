import { afterEach, describe, expect, it } from 'vitest'
import { type StackTest, stackTest } from '../../../test/cloudformation/stack.ts'

const TEMPLATE = `
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: jobs
      VisibilityTimeout: 30
      Tags: [{ Key: team, Value: a }, { Key: cost, Value: x }]
  Topic:
    Type: AWS::SNS::Topic
    Properties: { TopicName: news }
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties: { PolicyDocument: { Statement: [] }, Queues: [!Ref Queue] }
`

let test: StackTest
afterEach(() => test?.close())
const open = async (revertDrift: boolean): Promise<void> => {
  test = await stackTest({ files: { 'stack/template.yaml': TEMPLATE }, account: { revertDrift } })
  await test.deploy()
}

for (const revertDrift of [true, false]) {
  describe(revertDrift ? 'drift, reverted by AWS' : 'drift, healed by two updates', () => {
    it('in a list and of a deleted resource', async () => {
      await open(revertDrift)
      ;(test.real('Queue').properties['Tags'] as { Value: string }[])[1]!.Value = 'y'
      test.server.account.objects.delete(test.stack().resources.get('Topic')!.physicalId)
      const { planned, result } = await test.deploy({ kind: 'heal' })
      expect(planned.changes).toEqual([
        expect.objectContaining({
          address: 'Queue',
          actions: ['update'],
          cause: 'drift',
          attributes: [{ path: 'Tags[1].Value', before: 'y', after: 'x' }],
        }),
        expect.objectContaining({ address: 'Topic', actions: ['create'], cause: 'drift', reason: 'deleted outside' }),
      ])
      expect(planned.coverage.unchecked).toEqual([
        { address: 'Policy', why: 'drift detection does not support AWS::SQS::QueuePolicy' },
      ])
      expect(result).toMatchObject({ status: 'applied', findings: [] })
      expect(test.real('Queue').properties['Tags']).toEqual([
        { Key: 'team', Value: 'a' },
        { Key: 'cost', Value: 'x' },
      ])
      expect(test.real('Topic')).toBeDefined()
      expect((await test.plan({ kind: 'drift' })).changes).toEqual([])
    })

    it('together with a change of the code', async () => {
      await open(revertDrift)
      test.real('Queue').properties['VisibilityTimeout'] = '99'
      await test.context.write({
        'stack/template.yaml': TEMPLATE.replace('TopicName: news }', 'TopicName: news, DisplayName: News }'),
      })
      const { planned, result } = await test.deploy()
      const found = planned.changes.map(({ address, cause, attributes }) => ({ address, cause, attributes }))
      expect(found.toSorted((a, b) => (a.address < b.address ? -1 : 1))).toEqual([
        { address: 'Queue', cause: 'drift', attributes: [{ path: 'VisibilityTimeout', before: '99', after: '30' }] },
        { address: 'Topic', cause: 'config', attributes: [{ path: 'DisplayName', after: 'News' }] },
      ])
      expect(result.status).toBe('applied')
      expect(test.real('Queue').properties['VisibilityTimeout']).toBe(30)
      expect((await test.plan()).changes).toEqual([])
    })
  })
}

describe('drift that cannot be seen or healed', () => {
  it('is never claimed to be healed', async () => {
    await open(false)
    test.server.account.objects.delete(test.stack().resources.get('Queue')!.physicalId)
    const { planned, result } = await test.deploy({ kind: 'heal' })
    expect(planned.changes.map(({ address }) => address)).toEqual(['Queue'])
    expect(planned.findings).toMatchObject([
      { code: 'drift_not_healable', message: expect.stringContaining('it was deleted, and Policy refer') },
    ])
    expect(result.status).toBe('failed')
    expect(result.resources).toMatchObject([{ address: 'Queue', status: 'failed' }])

    // A deployment does what it can, and says what it cannot.
    await test.context.write({
      'stack/template.yaml': TEMPLATE.replace('TopicName: news', 'TopicName: news, DisplayName: N'),
    })
    const deployed = await test.deploy()
    expect(deployed.planned.changes.map(({ address }) => address)).toEqual(['Topic'])
    expect(deployed.planned.findings).toMatchObject([{ code: 'drift_not_healable' }])
    expect(deployed.result.status).toBe('applied')
    expect((await test.plan({ kind: 'drift' })).changes.map(({ address }) => address)).toEqual(['Queue'])
  })

  it('a detection that ends half-way gives what it has', async () => {
    await open(true)
    test.server.account.undetectable.add('Topic')
    test.real('Queue').properties['VisibilityTimeout'] = '99'
    const planned = await test.plan({ kind: 'drift' })
    expect(planned.changes.map(({ address }) => address)).toEqual(['Queue'])
    expect(planned.coverage.checked).toBe(1)
    expect(planned.coverage.unchecked).toContainEqual({
      address: 'Topic',
      why: 'Failed to detect drift on resource [Topic]',
    })
  })

  it('without drift detection nothing counts as checked', async () => {
    await open(true)
    const planned = await test.plan({ kind: 'drift', config: test.configure({ driftDetection: false }) })
    expect(planned.coverage.checked).toBe(0)
    expect(planned.coverage.unchecked).toHaveLength(3)
  })

  it('a stack in a state that AWS does not look at is unchecked, in its words', async () => {
    await open(true)
    test.stack().status = 'IMPORT_ROLLBACK_COMPLETE'
    const { coverage } = await test.plan({ kind: 'drift' })
    expect(coverage.checked).toBe(0)
    expect(coverage.unchecked[0]?.why).toContain('IMPORT_ROLLBACK_COMPLETE')
  })

  it('waits for a detection that somebody else has started', async () => {
    await open(true)
    const { startDetection } = await import('../../../test/cloudformation/drift.ts')
    startDetection(test.server.account, test.stack())
    expect((await test.plan({ kind: 'drift' })).coverage.checked).toBe(2)
  })
})
