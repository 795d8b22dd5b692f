import { CloudFormationConfig } from '../../../src/drivers/cloudformation/config.ts'
import { testContext } from '../../../src/drivers/testing/context.ts'
import { CREDENTIALS } from '../../cloudformation/stack.ts'
import { type Moto, startMoto } from '../../terraform-aws/moto.ts'
import type { World } from '../subject.ts'
import { MADE, SECRET, template } from './cloudformation-template.ts'

const notAsked = (): never => {
  throw new Error('moto cannot be asked this: the property is exempt')
}

/** One moto for all tests of the suite, which takes seconds to start; each finds it empty. */
let running: Promise<Moto> | undefined

export async function stopMoto(): Promise<void> {
  const moto = running
  running = undefined
  await (await moto)?.stop()
}

/** The stack in an account that holds nothing else, on moto. */
export async function openOnMoto(): Promise<World> {
  running ??= startMoto()
  const moto = await running
  await fetch(`${moto.url}/moto-api/reset`, { method: 'POST' })
  const context = await testContext({
    config: CloudFormationConfig.parse({
      region: 'us-east-1',
      endpoint: moto.url,
      pollSeconds: 0.05,
      secretParameters: { DbPassword: 'DB_PASSWORD' },
    }),
    env: { ...CREDENTIALS, DB_PASSWORD: SECRET },
    files: { 'stack/template.yaml': template() },
  })
  const source = (text: string): Promise<void> => context.write({ 'stack/template.yaml': text })
  const ask = (service: string, action: string, body: object) => askMoto(moto.url, service, action, body)
  return {
    context: (options) => context.next(options as never) as never,
    read: async () => ({
      queue: await ask('sqs', 'AmazonSQS.GetQueueAttributes', {
        QueueUrl: `${moto.url}/123456789012/jobs`,
        AttributeNames: ['All'],
      }),
      parameter: await ask('ssm', 'AmazonSSM.GetParameter', { Name: '/jobs/password' }),
    }),
    async edit() {
      await source(template({ timeout: 60 }))
      return { address: 'Queue', attribute: 'VisibilityTimeout' }
    },
    tamper: notAsked,
    tamperIgnorable: notAsked,
    secret: SECRET,
    breakSource: () => source('Resources:\n  Queue: {Type: AWS::SQS::Queue\n  - broken'),
    killTarget: stopMoto,
    breakApply: notAsked,
    slowApply: notAsked,
    async addUncheckable() {
      await source(template({ extra: MADE }))
      return 'Made'
    },
    close: () => context.remove(),
  }
}

/** What a service says. moto takes the service from the signature, and checks no signature. */
async function askMoto(url: string, service: string, action: string, body: object): Promise<string> {
  const scope = `AKIATEST/20260101/us-east-1/${service}/aws4_request`
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': action,
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
  })
  return answer.text()
}
