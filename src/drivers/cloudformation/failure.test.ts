import { writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type StackTest, stackTest } from '../../../test/cloudformation/stack.ts'
import { runUpdate } from '../../../test/cloudformation/execute.ts'
import { makeObsolete } from '../../../test/cloudformation/change-sets.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { cloudformationDriver } from './index.ts'

const template = (timeout = 30, more = ''): string => `
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: jobs, VisibilityTimeout: ${timeout} }
  Topic:
    Type: AWS::SNS::Topic
    DependsOn: Queue
    Properties: { TopicName: news, DisplayName: 'News ${timeout}' }
${more}`

let test: StackTest
afterEach(() => test?.close())
const open = async (settings: { [name: string]: unknown } = {}): Promise<void> => {
  test = await stackTest({ files: { 'stack/template.yaml': template() }, with: settings })
}
const source = (text: string): Promise<void> => test.context.write({ 'stack/template.yaml': text })
const codeOf = (thrown: unknown): string => (thrown instanceof TrueupError ? thrown.code : String(thrown))

describe('what does not work', () => {
  it('a failed update is rolled back, and says which resource and why', async () => {
    await open()
    await test.deploy()
    test.server.account.failures.push({ logicalId: 'Topic', on: 'UPDATE', reason: 'Rate of topics exceeded', times: 1 })
    await source(template(60))
    const { result, context } = await test.deploy()
    expect(result.status).toBe('failed')
    expect(result.resources).toEqual([
      { address: 'Queue', actions: ['update'], status: 'skipped', message: 'rolled back' },
      { address: 'Topic', actions: ['update'], status: 'failed', message: 'Rate of topics exceeded' },
    ])
    expect(result.findings).toMatchObject([
      { code: 'rolled_back', message: expect.stringContaining('UPDATE_ROLLBACK_COMPLETE: Topic: Rate') },
    ])
    expect(context.lines).toContain('Topic UPDATE_FAILED (Rate of topics exceeded)')
    expect(test.real('Queue').properties['VisibilityTimeout']).toBe(30)
    // The way on is the next deployment.
    expect((await test.deploy()).result.status).toBe('applied')
  })

  it('a failed creation is deleted and created anew, and the plan says so', async () => {
    await open()
    test.server.account.failures.push({ logicalId: 'Topic', on: 'CREATE', reason: 'Not today', times: 1 })
    const first = await test.deploy()
    expect(first.result).toMatchObject({ status: 'failed' })
    expect(test.stack().status).toBe('ROLLBACK_COMPLETE')
    const second = await test.deploy()
    expect(second.planned.changes[0]).toMatchObject({
      address: 'stack:staging-stack',
      actions: ['replace'],
      reason: 'it is ROLLBACK_COMPLETE: it is deleted and created anew',
    })
    expect(second.planned.changes.slice(1).map(({ address, actions }) => [address, ...actions])).toEqual([
      ['Queue', 'create'],
      ['Topic', 'create'],
    ])
    expect(second.result.status).toBe('applied')
    expect(test.stack().status).toBe('CREATE_COMPLETE')
    expect((await test.plan()).changes).toEqual([])
  })

  it('a roll-back that fails as well needs a person', async () => {
    await open()
    await test.deploy()
    test.server.account.failures.push({ logicalId: 'Topic', on: 'UPDATE', reason: 'broken', times: 1 })
    test.server.account.failures.push({ logicalId: 'Queue', on: 'UPDATE', reason: 'broken too', times: 1, after: 1 })
    await source(template(60))
    const { result } = await test.deploy()
    expect(result.status).toBe('failed')
    expect(result.findings[0]?.message).toContain('continue-update-rollback')
    const thrown = (await test.plan().catch((error: unknown) => error)) as TrueupError
    expect(thrown.code).toBe('TARGET_UNSAFE')
    expect(thrown.next).toContain('continue-update-rollback')
  })

  it('a stack that somebody else works on is locked', async () => {
    await open()
    await test.deploy()
    test.stack().status = 'UPDATE_IN_PROGRESS'
    expect(await test.plan().catch(codeOf)).toBe('STATE_LOCKED')
  })

  it('a stack that was updated after the plan is stale, and nothing is changed', async () => {
    await open()
    await test.deploy()
    await source(template(60))
    const run = await test.next({ kind: 'deploy' })
    const planned = await cloudformationDriver.plan(run)
    const stack = test.stack()
    await runUpdate(test.server.account, stack, { ...stack, body: stack.body })
    const before = structuredClone(test.real('Queue').properties)
    expect(await cloudformationDriver.apply(run, planned).catch(codeOf)).toBe('PLAN_STALE')
    expect(test.real('Queue').properties).toEqual(before)
  })

  it('an obsolete or deleted change set is stale', async () => {
    await open()
    await test.deploy()
    for (const spoil of ['obsolete', 'delete'] as const) {
      await source(template(spoil === 'obsolete' ? 60 : 61))
      const run = await test.next({ kind: 'deploy' })
      const planned = await cloudformationDriver.plan(run)
      if (spoil === 'obsolete') makeObsolete(test.server.account, test.stack())
      else test.server.account.changeSets = []
      expect(await cloudformationDriver.apply(run, planned).catch(codeOf)).toBe('PLAN_STALE')
    }
  })

  it('what AWS refuses is the fault of the source, in its words', async () => {
    await open()
    await source(template(30, '  Nope: { Type: AWS::Nope::Thing }\n'))
    const thrown = (await test.plan().catch((error: unknown) => error)) as TrueupError
    expect(thrown.code).toBe('SOURCE_INVALID')
    expect(thrown.text.why).toContain('AWS::Nope::Thing')
    expect(test.server.account.stacks).toEqual([])
  })

  it('IAM resources have to be acknowledged', async () => {
    await open()
    await source(template(30, '  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }\n'))
    const thrown = (await test.plan().catch((error: unknown) => error)) as TrueupError
    expect(thrown.code).toBe('CONFIG_INVALID')
    expect(thrown.next).toContain('with.capabilities')
    const config = test.configure({ capabilities: ['CAPABILITY_IAM'] })
    expect((await test.plan({ config })).changes).toHaveLength(3)
  })

  it('credentials that are missing, wrong or not allowed are told apart from a dead endpoint', async () => {
    await open()
    const env = (more: { [name: string]: string }) => ({ env: { ...test.context.env, ...more } })
    expect(await test.plan(env({ AWS_ACCESS_KEY_ID: '' })).catch(codeOf)).toBe('TARGET_DENIED')
    expect(await test.plan(env({ AWS_ACCESS_KEY_ID: 'AKIAINVALID' })).catch(codeOf)).toBe('TARGET_DENIED')
    const denied = (await test
      .plan(env({ AWS_ACCESS_KEY_ID: 'AKIADENIED' }))
      .catch((error: unknown) => error)) as TrueupError
    expect(denied.code).toBe('TARGET_DENIED')
    expect(denied.text.why).toContain('cloudformation:DescribeStacks')
    await test.server.close()
    expect(await test.plan().catch(codeOf)).toBe('TARGET_UNREACHABLE')
  })

  it('an execution whose answer got lost is followed, not begun twice', async () => {
    await open()
    await test.deploy()
    await source(template(60))
    test.server.account.lost.add('ExecuteChangeSet')
    const { result } = await test.deploy()
    expect(result.status).toBe('applied')
    expect(test.server.account.requests.filter(({ action }) => action === 'ExecuteChangeSet')).toHaveLength(3)
    expect(
      test.stack().events.filter(({ status }) => status === 'UPDATE_COMPLETE' || status === 'UPDATE_IN_PROGRESS'),
    ).toHaveLength(6)
  })

  it('a reason that quotes a secret does not tell it', async () => {
    await open()
    await test.deploy()
    const secret = `Parameters: { Token: { Type: String, NoEcho: true } }${template(60)}`
    await source(secret)
    test.server.account.failures.push({
      logicalId: 'Topic',
      on: 'UPDATE',
      reason: 'bad token hunter2-hunter2',
      times: 1,
    })
    const config = test.configure({ secretParameters: { Token: 'TOKEN' } })
    const env = { ...test.context.env, TOKEN: 'hunter2-hunter2' }
    const { result, context } = await test.deploy({ config, env })
    expect(result.status).toBe('failed')
    expect(JSON.stringify([result, context.lines])).not.toContain('hunter2')
    expect(JSON.stringify(result)).toContain('bad token ***')
  })

  it('credentials may come from a profile of the shared files', async () => {
    await open()
    const file = `${test.context.scratch}/credentials`
    await writeFile(
      file,
      '[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\n[denied]\naws_access_key_id = AKIADENIED\naws_secret_access_key = x\n',
    )
    const none = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_CONFIG_FILE: '/nonexistent',
    }
    const env = (profile: string) => ({ env: { ...test.context.env, ...none, AWS_PROFILE: profile } })
    expect((await test.plan(env('other'))).changes).toHaveLength(2)
    expect(await test.plan(env('denied')).catch(codeOf)).toBe('TARGET_DENIED')
    expect(await test.plan(env('missing')).catch(codeOf)).toBe('TARGET_DENIED')
  })

  it('throttled requests are repeated', async () => {
    await open()
    test.server.account.throttleEvery = 4
    expect((await test.deploy()).result.status).toBe('applied')
    expect((await test.plan()).changes).toEqual([])
  })

  it('lists longer than a page are read whole', async () => {
    await open()
    test.server.account.pageSize = 1
    const { planned, result, context } = await test.deploy()
    expect(planned.changes).toHaveLength(2)
    expect(result.status).toBe('applied')
    expect(context.lines.filter((line) => line.endsWith('CREATE_COMPLETE'))).toHaveLength(3)
    expect((await test.plan({ kind: 'drift' })).coverage.checked).toBe(2)
  })
})

describe('what plans leave behind', () => {
  it('nothing, when they are not applied', async () => {
    await open()
    await test.plan({ kind: 'preview' })
    expect(test.server.account.changeSets).toEqual([])
    expect(test.server.account.stacks.filter(({ deleted }) => !deleted)).toEqual([])
    await test.deploy()
    await source(template(60))
    await test.plan({ kind: 'preview' })
    expect(test.server.account.changeSets.filter(({ executionStatus }) => executionStatus === 'AVAILABLE')).toEqual([])
  })

  it('not even the empty stack of a change set that AWS could not make', async () => {
    await open()
    await source(template(30, '  Other: { Type: AWS::SNS::Topic, Properties: { TopicName: !ImportValue nowhere } }\n'))
    expect(await test.plan({ kind: 'preview' }).catch(codeOf)).toBe('SOURCE_INVALID')
    expect(test.server.account.stacks.filter(({ deleted }) => !deleted)).toEqual([])
  })

  it('the next deployment clears what the last one left, and nobody else’s', async () => {
    await open()
    await test.deploy()
    await source(template(60))
    await test.plan({ kind: 'deploy' })
    const [own] = test.server.account.changeSets.filter(({ status }) => status === 'CREATE_COMPLETE').slice(-1)
    test.server.account.changeSets.push({ ...own!, id: `${own!.id}-b`, name: 'by-hand' })
    await test.plan({ kind: 'deploy' })
    const names = test.server.account.changeSets.map(({ name }) => name)
    expect(names).toContain('by-hand')
    expect(names).not.toContain(own!.name)
  })
})
