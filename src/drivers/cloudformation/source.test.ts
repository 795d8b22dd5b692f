import { afterEach, describe, expect, it } from 'vitest'
import { describeWithTool } from '../../../test/tools.ts'
import { type SourceFile, type TestContext, testContext } from '../testing/context.ts'
import { CloudFormationConfig } from './config.ts'
import { cloudformationDriver } from './index.ts'
import { parseTemplate } from './template/parse.ts'

const QUEUE = 'Resources:\n  Queue: { Type: AWS::SQS::Queue }\n'

let context: TestContext<CloudFormationConfig>
afterEach(() => context?.remove())
async function open(files: { [path: string]: SourceFile }, settings: { [name: string]: unknown } = {}) {
  // Without linters of this machine.
  context = await testContext({ config: CloudFormationConfig.parse(settings), files, env: { PATH: '/nowhere' } })
}
const findings = async () =>
  (await cloudformationDriver.validate(context)).map(({ path, line, message }) => `${path}:${line} ${message}`)

describe('short forms', () => {
  const read = (text: string) => parseTemplate(text, 't.yaml').value['v']
  it('are the long ones', () => {
    expect(read('v: !Ref A')).toEqual({ Ref: 'A' })
    expect(read('v: !GetAtt A.B.C')).toEqual({ 'Fn::GetAtt': ['A', 'B.C'] })
    expect(read('v: !GetAtt [A, B]')).toEqual({ 'Fn::GetAtt': ['A', 'B'] })
    expect(read('v: !If [C, !Sub "${A}-x", !Ref "AWS::NoValue"]')).toEqual({
      'Fn::If': ['C', { 'Fn::Sub': '${A}-x' }, { Ref: 'AWS::NoValue' }],
    })
    expect(read('v: !Select [0, !Split [",", !ImportValue x]]')).toEqual({
      'Fn::Select': [0, { 'Fn::Split': [',', { 'Fn::ImportValue': 'x' }] }],
    })
    expect(read('v: !Transform { Name: AWS::Include }')).toEqual({ 'Fn::Transform': { Name: 'AWS::Include' } })
    expect(read('v: !Equals [!Condition A, !Base64 b]')).toEqual({
      'Fn::Equals': [{ Condition: 'A' }, { 'Fn::Base64': 'b' }],
    })
  })
  it('keep account ids and versions as they are written', () => {
    expect(read('v: [012345678901, 123, 2012-10-17, true]')).toEqual(['012345678901', 123, '2012-10-17', true])
  })
  it('stay when something else is set', () => {
    const template = parseTemplate('a: !Sub "${X}"\nv:\n  # why\n  w: !GetAtt A.B\n  z: 1\n', 't.yaml')
    template.set(['v', 'z'], { Ref: 'Y' })
    expect(template.write()).toBe('a: !Sub "${X}"\nv:\n  # why\n  w: !GetAtt A.B\n  z:\n    Ref: Y\n')
  })
})

describe('validate', () => {
  it('says file and line of what is wrong', async () => {
    await open({
      'stack/template.yaml': `Resource: {}
Parameters:
  Size: { Type: Number }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: Topik
    Properties: { VisibilityTimeout: !Ref Sise }
  No-Good: { Type: AWS::SQS::Queue }
  Topic: {}
Outputs:
  Url: { Description: none }
`,
    })
    expect(await findings()).toEqual([
      expect.stringContaining('parameter Size of the template has no value'),
      expect.stringMatching(/template.yaml:1 "Resource" is no section of a template.*Resources/),
      expect.stringMatching(/template.yaml:5 resource Queue refers to "Sise".*Size/),
      expect.stringMatching(/template.yaml:5 resource Queue refers to "Topik".*Topic/),
      expect.stringContaining('template.yaml:9 "No-Good"'),
      expect.stringContaining('template.yaml:10 resource Topic has no Type'),
      expect.stringContaining('template.yaml:12 output Url has no Value'),
    ])
  })
  it('finds what is missing beside the template', async () => {
    await open(
      { 'stack/t.json': '{"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Code":"./src"}}}}' },
      { template: 't.json', bucket: 'some-bucket', stackPolicy: 'none.json', parameterFiles: ['no.json'] },
    )
    expect(await findings()).toEqual([
      expect.stringContaining('none.json of stack "stack": it does not exist'),
      expect.stringContaining('no.json of stack "stack": it does not exist'),
      expect.stringContaining('stack/t.json:1 packaging Resources.F.Properties.Code'),
    ])
  })
  it('needs no secrets, and refuses what leaves the repository', async () => {
    await open(
      { 'stack/template.yaml': `Parameters: { P: { Type: String } }\n${QUEUE}` },
      { secretParameters: { P: 'PASSWORD' } },
    )
    expect(await findings()).toEqual([])
    context.config = CloudFormationConfig.parse({ template: '../../outside.yaml' })
    expect(await findings()).toEqual([expect.stringContaining('outside the repository')])
  })
  it('a template that is missing or no YAML is one finding', async () => {
    await open({ 'stack/template.yaml': 'Resources:\n  A: [\n' })
    expect(await findings()).toEqual([expect.stringMatching(/^stack\/template.yaml:\d+ reading the template/)])
    await context.write({ 'stack/template.yaml': null })
    expect(await findings()).toEqual([expect.stringContaining('nor template.yml or template.json')])
  })
})

describeWithTool('cfn-lint', 'validate with the linter', (tool) => {
  it('gives what it says', async () => {
    await open({
      'stack/template.yaml': 'Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties: { QueueNam: x }\n',
    })
    context.env = { ...context.env, PATH: process.env.PATH ?? '' }
    expect(tool.path).toBeTruthy()
    expect(await cloudformationDriver.validate(context)).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'E3002', path: 'stack/template.yaml', line: 4 }),
    )
  })
})

describe('detect and dependencies', () => {
  const files = {
    'network/template.yaml': QUEUE,
    'app/stack.yml': `Resources:\n  Inner: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: ../shared/inner.yaml } }\n  F: { Type: AWS::Lambda::Function, Properties: { Code: ../src/f, Role: !GetAtt R.Arn } }\n  R: { Type: AWS::IAM::Role }\n`,
    'app/values.json': '{}',
    'shared/inner.yaml': QUEUE,
    'src/f/index.mjs': '',
    'twin/queue.yaml': QUEUE,
    'twin/queue.json': '{"Resources":{"Queue":{"Type":"AWS::SQS::Queue"}}}',
    'sample-templates/template.yaml': QUEUE,
    'two/a.yaml': QUEUE,
    'two/b.yaml': QUEUE,
    'json/template.json': '{"AWSTemplateFormatVersion":"2010-09-09","Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}',
    'k8s/deploy.yaml': 'apiVersion: apps/v1\nkind: Deployment\n',
    'docs/examples/template.yaml': QUEUE,
    'node_modules/x/template.yaml': QUEUE,
    'ci/notes.yaml': '# Type: AWS::SQS::Queue\nsteps: []\n',
  }
  it('proposes roots, and nothing else', async () => {
    await open(files)
    expect((await cloudformationDriver.detect(Object.keys(files), context.read)).stacks).toMatchObject([
      { path: 'app', with: { template: 'stack.yml', capabilities: ['CAPABILITY_IAM'] } },
      { path: 'json' },
      { path: 'network' },
      { path: 'twin', with: { template: 'queue.yaml' } },
      { path: 'two', name: 'two/a', with: { template: 'a.yaml' } },
      { path: 'two', name: 'two/b', with: { template: 'b.yaml' } },
    ])
  })
  it('names what a stack is built from', async () => {
    await open(files)
    const config = CloudFormationConfig.parse({
      template: 'stack.yml',
      parameterFiles: ['values.json', '../two/a.yaml'],
    })
    const { read, list } = context
    expect(await cloudformationDriver.dependencies(read, list, 'app', config)).toEqual([
      'shared/inner.yaml',
      'src/f',
      'two/a.yaml',
    ])
    expect(await cloudformationDriver.dependencies(read, list, 'network', CloudFormationConfig.parse({}))).toEqual([])
  })
})
