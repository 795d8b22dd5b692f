import type { Json, JsonObject } from '../../src/lib/json.ts'
import { ServiceError } from './answer.ts'
import { asText, isObject } from './compare.ts'

const SAM = 'AWS::Serverless-2016-10-31'

/** Expands `Transform: AWS::Serverless-2016-10-31`, as far as the tests need it: functions, their events, simple tables. */
export function transformed(template: JsonObject): JsonObject {
  const wanted = [template['Transform'] ?? []].flat()
  const other = wanted.find((name) => name !== SAM)
  if (other !== undefined) throw new ServiceError('ValidationError', `No transform named ${asText(other)} found.`)
  if (wanted.length === 0) return template
  const globals = (template['Globals'] as JsonObject | undefined) ?? {}
  const resources: JsonObject = {}
  for (const [logicalId, resource] of Object.entries((template['Resources'] as JsonObject | undefined) ?? {})) {
    Object.assign(resources, expand(logicalId, resource as JsonObject, globals))
  }
  const { Transform: _transform, Globals: _globals, ...rest } = template
  return { ...rest, Resources: resources }
}

function expand(logicalId: string, resource: JsonObject, globals: JsonObject): JsonObject {
  const properties = (resource['Properties'] as JsonObject | undefined) ?? {}
  if (resource['Type'] === 'AWS::Serverless::SimpleTable') {
    const key = (properties['PrimaryKey'] as JsonObject | undefined)?.['Name'] ?? 'id'
    const table = { ...properties, KeySchema: [{ AttributeName: key, KeyType: 'HASH' }] }
    return { [logicalId]: { ...resource, Type: 'AWS::DynamoDB::Table', Properties: without(table, ['PrimaryKey']) } }
  }
  if (resource['Type'] !== 'AWS::Serverless::Function') return { [logicalId]: resource }
  const all: JsonObject = { ...(globals['Function'] as JsonObject | undefined), ...properties }
  const role = all['Role'] ?? { 'Fn::GetAtt': [`${logicalId}Role`, 'Arn'] }
  const functionProperties = {
    ...without(all, ['CodeUri', 'InlineCode', 'Events', 'Policies', 'Role']),
    Code: codeOf(logicalId, all),
    Role: role,
  }
  return {
    [logicalId]: { ...resource, Type: 'AWS::Lambda::Function', Properties: functionProperties },
    ...(all['Role'] === undefined && { [`${logicalId}Role`]: roleOf() }),
    ...eventsOf(logicalId, (all['Events'] as JsonObject | undefined) ?? {}),
  }
}

function codeOf(logicalId: string, properties: JsonObject): Json {
  const uri = properties['CodeUri']
  if (properties['InlineCode'] !== undefined) return { ZipFile: properties['InlineCode'] }
  const match = typeof uri === 'string' ? /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) : null
  if (match) return { S3Bucket: match[1]!, S3Key: match[2]! }
  if (isObject(uri) && uri['Bucket'] !== undefined) return { S3Bucket: uri['Bucket'], S3Key: uri['Key'] ?? '' }
  throw new ServiceError(
    'ValidationError',
    `Transform ${SAM} failed with: Invalid Serverless Application Specification document. Number of errors found: 1. Resource with id [${logicalId}] is invalid. 'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.`,
  )
}

const roleOf = (): JsonObject => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: ['sts:AssumeRole'], Effect: 'Allow', Principal: { Service: ['lambda.amazonaws.com'] } }],
    },
    ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
  },
})

function eventsOf(logicalId: string, events: JsonObject): JsonObject {
  const resources: JsonObject = {}
  for (const [name, event] of Object.entries(events)) {
    const { Type: type, Properties: properties } = event as { Type: string; Properties: JsonObject }
    if (type !== 'Schedule') continue
    resources[`${logicalId}${name}`] = {
      Type: 'AWS::Events::Rule',
      Properties: {
        ScheduleExpression: properties['Schedule'] ?? '',
        Targets: [{ Id: `${logicalId}${name}LambdaTarget`, Arn: { 'Fn::GetAtt': [logicalId, 'Arn'] } }],
      },
    }
    resources[`${logicalId}${name}Permission`] = {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: { Ref: logicalId },
        Principal: 'events.amazonaws.com',
        SourceArn: { 'Fn::GetAtt': [`${logicalId}${name}`, 'Arn'] },
      },
    }
  }
  return resources
}

const without = (object: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
