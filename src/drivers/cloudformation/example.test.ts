import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type StackTest, stackTest } from '../../../test/cloudformation/stack.ts'
import { TrueupConfig } from '../../domain/config/schema.ts'
import { cloudformationDriver } from './index.ts'

async function openExample(name: string): Promise<{ test: StackTest; files: string[] }> {
  const root = join(import.meta.dirname, '../../../examples', name)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  const files = Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path), 'utf8')])),
  ) as { [path: string]: string }
  const [stack] = TrueupConfig.parse(parse(files['trueup.yaml'] ?? '')).stacks
  const test = await stackTest({
    files,
    with: { ...(stack?.with as object) },
    context: { path: stack?.path ?? '' },
  })
  test.server.account.buckets.add('my-artefacts')
  return { test, files: paths }
}

let test: StackTest
afterEach(() => test?.close())

describe('the examples', () => {
  it('cloudformation goes all the way, and leaves the archive behind', async () => {
    const opened = await openExample('cloudformation')
    test = opened.test
    expect((await cloudformationDriver.detect(opened.files, test.context.read)).stacks).toMatchObject([
      { path: 'queue', with: { parameterFiles: ['parameters.json'] } },
    ])
    expect(await cloudformationDriver.validate(test.context)).toEqual([])
    const { planned, result } = await test.deploy()
    expect(planned.changes).toHaveLength(7)
    expect(planned.findings).toEqual([])
    expect(result).toMatchObject({ status: 'applied', findings: [] })
    expect(Object.keys(result.outputs).toSorted()).toEqual(['ArchiveName', 'QueueUrl', 'TopicArn'])
    expect(test.real('Queue').properties['VisibilityTimeout']).toBe('60')
    expect((await test.plan()).changes).toEqual([])
    const gone = await test.deploy({ destroy: true, kind: 'destroy' })
    expect(gone.result.status).toBe('applied')
    expect([...test.server.account.objects.values()].map(({ type }) => type)).toEqual(['AWS::S3::Bucket'])
  })

  it('serverless packs the function and deploys it', async () => {
    const opened = await openExample('serverless')
    test = opened.test
    expect((await cloudformationDriver.detect(opened.files, test.context.read)).stacks).toMatchObject([
      { path: 'api', with: { capabilities: ['CAPABILITY_IAM'] } },
    ])
    expect(await cloudformationDriver.validate(test.context)).toEqual([])
    const { result } = await test.deploy()
    expect(result).toMatchObject({ status: 'applied', findings: [] })
    expect(result.outputs['FunctionArn']?.value).toMatch(/^arn:aws:lambda:/)
    expect(test.server.account.files.size).toBe(1)
    expect((await test.plan()).changes).toEqual([])
  })
})
