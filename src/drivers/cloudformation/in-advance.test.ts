import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { type StackTest, stackTest } from '../../../test/cloudformation/stack.ts'

const TEMPLATE = `Parameters:
  Level: { Type: String, Default: low }
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: { DisplayName: Jobs }
Outputs:
  Name: { Value: !Ref Topic, Export: { Name: the-topic } }
  Old: { Value: x }
`

let test: StackTest
afterEach(() => test.close())
const open = async (): Promise<void> => {
  test = await stackTest({ files: { 'stack/template.yaml': TEMPLATE } })
}

it('shows what AWS finds before a deployment, and why it refuses one', async () => {
  await open()
  const { account } = test.server
  account.validations.push({
    LogicalResourceId: 'Topic',
    ValidationName: 'NAME_CONFLICT_VALIDATION',
    ValidationFailureMode: 'WARN',
    ValidationStatusReason: 'a topic of this name exists',
    ValidationPath: '/Resources/Topic/Properties/TopicName',
  })
  expect((await test.plan()).findings).toEqual([
    {
      severity: 'warning',
      code: 'aws:NAME_CONFLICT_VALIDATION',
      message: 'Topic (/Resources/Topic/Properties/TopicName): a topic of this name exists',
    },
  ])
  expect(account.requests.map(({ action }) => action)).toContain('DescribeEvents')
})

it('lists outputs that go, and refuses exports that others import', async () => {
  await open()
  await test.deploy()
  test.server.account.imports.set('the-topic', ['shop', 'billing'])
  await test.context.write({ 'stack/template.yaml': TEMPLATE.replace(/Outputs:[^]*/, '') })
  const { findings } = await test.plan()
  expect(findings).toEqual([
    { severity: 'info', code: 'outputs_removed', message: 'outputs that the template no longer has: Name, Old' },
    {
      severity: 'error',
      code: 'export_in_use',
      message: expect.stringContaining('"the-topic", which shop, billing import') as string,
    },
  ])
  expect((await test.plan({ destroy: true })).findings.map(({ code }) => code)).toEqual(['export_in_use'])
})

it('says of a parameter that changes nothing which one it is', async () => {
  await open()
  await test.deploy()
  await test.context.write({ 'stack/template.yaml': TEMPLATE.replace('low', 'high') })
  const { changes, findings } = await test.plan()
  expect(changes).toEqual([])
  expect(findings).toEqual([
    expect.objectContaining({ code: 'parameters_unseen', message: expect.stringContaining('Level') as string }),
  ])
})

it('tells a web page in the place of an answer as what it is', async () => {
  await open()
  const server = createServer((_request, response) => {
    response.writeHead(403, { 'content-type': 'text/html; charset=utf-8' })
    response.end(
      '<html><head><meta charset=utf-8><title>Corporate proxy: log in</title></head><body>no<br></body></html>',
    )
  })
  server.listen(0, '127.0.0.1')
  try {
    await new Promise((resolve) => server.once('listening', resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(test.plan({ config: test.configure({ endpoint }) })).rejects.toMatchObject({
      code: 'TARGET_UNREACHABLE',
      text: { why: expect.stringMatching(/an HTML page \(HTTP 403\).*Corporate proxy: log in/) as string },
    })
  } finally {
    server.close()
  }
})
