import { expect, it } from 'vitest'
import { CloudFormationConfig } from '../../src/drivers/cloudformation/config.ts'
import { cloudformationDriver } from '../../src/drivers/cloudformation/index.ts'
import { type TestContext, testContext } from '../../src/drivers/testing/context.ts'
import { startMoto } from '../terraform-aws/moto.ts'
import { describeWithTool } from '../tools.ts'
import { CREDENTIALS } from './stack.ts'

const template = (queue: string, seconds: number): string => `Parameters:
  Seconds: { Type: Number, Default: ${seconds} }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: { QueueName: ${queue}, VisibilityTimeout: !Ref Seconds }
`

/** A second target of the driver beside the double: what moto lacks is in docs/drivers/cloudformation.md. */
describeWithTool('moto_server', 'CloudFormation of moto', () => {
  it('deploys, has nothing to do, and says what moto does not tell', async () => {
    const moto = await startMoto()
    const contexts: TestContext<CloudFormationConfig>[] = []
    const open = async (stackName: string): Promise<TestContext<CloudFormationConfig>> => {
      const config = CloudFormationConfig.parse({
        region: 'us-east-1',
        endpoint: moto.url,
        pollSeconds: 0.05,
        stackName,
      })
      const files = { 'stack/template.yaml': template(stackName, 5) }
      contexts.push(await testContext({ config, files, env: CREDENTIALS }))
      return contexts.at(-1)!
    }
    const deploy = async (context: TestContext<CloudFormationConfig>) => {
      const run = await context.next<CloudFormationConfig>({ kind: 'deploy' })
      const planned = await cloudformationDriver.plan(run)
      return { planned, result: await cloudformationDriver.apply(run, planned) }
    }
    try {
      const [shop, other] = [await open('shop'), await open('other')]
      expect((await deploy(shop)).result.status).toBe('applied')
      // moto lists the change sets of all stacks: those of the other one are left alone.
      const waiting = await other.next<CloudFormationConfig>({ kind: 'deploy' })
      const planned = await cloudformationDriver.plan(waiting)
      const again = await deploy(shop)
      expect(again.planned).toMatchObject({
        changes: [],
        coverage: { checked: 0, unchecked: [{ address: 'Queue', why: 'the endpoint offers no drift detection' }] },
      })
      expect((await cloudformationDriver.apply(waiting, planned)).status).toBe('applied')

      await shop.write({ 'stack/template.yaml': template('shop', 7) })
      expect((await deploy(shop)).planned.findings.map(({ code }) => code)).toEqual(['parameters_unseen'])
      await shop.write({ 'stack/template.yaml': template('renamed', 5) })
      const renamed = await cloudformationDriver.plan(await shop.next<CloudFormationConfig>())
      expect(renamed.changes).toMatchObject([
        { address: 'Queue', actions: ['replace'], reason: 'replaced because of QueueName' },
      ])
    } finally {
      await moto.stop()
      for (const context of contexts) await context.remove()
    }
  })
})
