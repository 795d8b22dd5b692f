import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { terraformDriver } from '../../src/drivers/terraform/index.ts'
import { nextRun, openStack, type TerraformContext } from '../terraform-provider/stack.ts'
import { findTool } from '../tools.ts'
import { type Moto, startMoto } from './moto.ts'
import { EMPTY_ZIP, SERVICE } from './stack.ts'

const run = promisify(execFile)
/** Two minutes and 700 MB of memory: asked for by name, never by accident. */
const mirror = process.env.TF_PLUGIN_MIRROR ?? ''
const missing =
  process.env.TRUEUP_TEST_AWS !== '1'
    ? 'TRUEUP_TEST_AWS=1 is not set'
    : !existsSync(mirror)
      ? 'TF_PLUGIN_MIRROR names no mirror with hashicorp/aws'
      : (['terraform', 'aws', 'moto_server'].find((tool) => onPath(tool) === null) ?? null)

function onPath(tool: string): string | null {
  return (process.env.PATH ?? '').split(':').find((directory) => existsSync(`${directory}/${tool}`)) ?? null
}

describe.skipIf(missing !== null)(`the AWS provider on moto${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let moto: Moto
  let context: TerraformContext
  let aws: { [name: string]: string }

  beforeAll(async () => {
    moto = await startMoto()
    aws = {
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_REGION: 'us-east-1',
    }
    context = await openStack(
      findTool('terraform')!,
      { 'stack/main.tf': SERVICE, 'stack/api.zip': EMPTY_ZIP },
      { env: { TF_PLUGIN_MIRROR: mirror, ...aws } },
    )
  })
  afterAll(async () => {
    await context?.remove()
    await moto?.stop()
  })

  /** Somebody with the AWS command line, beside Trueup. */
  const byHand = async (...argv: string[]): Promise<void> => {
    await run('aws', argv, { env: { ...process.env, ...aws } })
  }

  it('makes a service of S3, DynamoDB, Lambda and API Gateway, and has nothing to do after it', async () => {
    expect(await terraformDriver.validate(context)).toEqual([])
    const plan = await terraformDriver.plan(context)
    expect(plan.changes.filter(({ type }) => type !== 'output')).toHaveLength(8)
    const result = await terraformDriver.apply(context, plan)
    expect(result).toMatchObject({ status: 'applied', outputs: { function: { value: 'trueup-test-api' } } })
    const again = await terraformDriver.plan(await nextRun(context))
    expect(again.changes).toEqual([])
    expect(again.coverage).toEqual({ checked: 8, unchecked: [] })
  })

  it('finds what was changed out of band, at the attribute, and heals it', async () => {
    const { outputs } = await terraformDriver.plan(await nextRun(context))
    await byHand(
      's3api',
      'put-bucket-tagging',
      '--bucket',
      'trueup-test-files',
      '--tagging',
      'TagSet=[{Key=team,Value=x}]',
    )
    await byHand('dynamodb', 'delete-table', '--table-name', 'trueup-test-orders')
    await byHand(
      'lambda',
      'update-function-configuration',
      '--function-name',
      'trueup-test-api',
      '--memory-size',
      '512',
    )
    const api = outputs.api?.value as string
    const operation = 'op=replace,path=/description,value=hacked'
    await byHand('apigateway', 'update-rest-api', '--rest-api-id', api, '--patch-operations', operation)

    const its = await nextRun(context, { kind: 'drift' })
    const drift = await terraformDriver.plan(its)
    const found = new Map(drift.changes.map((change) => [change.address, change]))
    expect(found.get('aws_s3_bucket.files')?.attributes).toContainEqual({
      path: 'tags.team',
      before: 'x',
      after: 'shop',
    })
    expect(found.get('aws_dynamodb_table.orders')).toMatchObject({ actions: ['create'], reason: 'deleted outside' })
    expect(found.get('aws_lambda_function.api')?.attributes).toContainEqual({
      path: 'memory_size',
      before: 512,
      after: 128,
    })
    expect(found.get('aws_api_gateway_rest_api.shop')?.attributes).toContainEqual({
      path: 'description',
      before: 'hacked',
      after: 'orders',
    })
    expect(new Set(drift.changes.map(({ cause }) => cause))).toEqual(new Set(['drift']))
    expect(found.size).toBe(4)

    expect(await terraformDriver.apply(its, drift)).toMatchObject({ status: 'applied' })
    expect((await terraformDriver.plan(await nextRun(context, { kind: 'drift' }))).changes).toEqual([])
  })

  it('destroys it', async () => {
    const its = await nextRun(context, { destroy: true })
    const plan = await terraformDriver.plan(its)
    expect(await terraformDriver.apply(its, plan)).toMatchObject({ status: 'applied' })
  })
})
