import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import type { Account } from './account.ts'

/** What the double knows of a resource type; sources are the pages of the AWS resource reference. */
export interface ResourceType {
  /** Properties whose change replaces the resource. */
  immutable: readonly string[]
  required: readonly string[]
  /** Name property, or null where the service makes up an id. */
  named: string | null
  /** Physical id from the name. */
  physicalId(name: string, account: Account): string
  attributes(name: string, account: Account, properties: JsonObject): { [name: string]: Json }
  /** false: drift detection does not support it (NOT_CHECKED). */
  drift: boolean
  /** Properties that the service never shows. */
  writeOnly?: readonly string[]
  /** Why the service refuses these properties, or undefined. */
  refuses?(properties: JsonObject): string | undefined
}

const arnOf = (account: Account, service: string, name: string): string =>
  `arn:aws:${service}:${account.region}:${account.id}:${name}`
const same = (name: string): string => name

const TYPES: { readonly [type: string]: ResourceType } = {
  'AWS::SQS::Queue': {
    immutable: ['QueueName', 'FifoQueue'],
    required: [],
    named: 'QueueName',
    physicalId: (name, account) => `https://sqs.${account.region}.amazonaws.com/${account.id}/${name}`,
    attributes: (name, account) => ({ Arn: arnOf(account, 'sqs', name), QueueName: name }),
    drift: true,
    refuses: ({ VisibilityTimeout: timeout }) =>
      timeout !== undefined && (Number.isNaN(Number(timeout)) || Number(timeout) > 43_200)
        ? `Resource handler returned message: "Invalid value for the parameter VisibilityTimeout. (Service: Sqs, Status Code: 400)" (HandlerErrorCode: InvalidRequest)`
        : undefined,
  },
  'AWS::SNS::Topic': {
    immutable: ['TopicName', 'FifoTopic'],
    required: [],
    named: 'TopicName',
    physicalId: (name, account) => arnOf(account, 'sns', name),
    attributes: (name, account) => ({ TopicArn: arnOf(account, 'sns', name), TopicName: name }),
    drift: true,
  },
  'AWS::SNS::Subscription': {
    immutable: ['TopicArn', 'Endpoint', 'Protocol'],
    required: ['TopicArn', 'Protocol'],
    named: null,
    physicalId: (name, account) => arnOf(account, 'sns', name),
    attributes: () => ({}),
    drift: true,
  },
  'AWS::SQS::QueuePolicy': {
    immutable: [],
    required: ['PolicyDocument', 'Queues'],
    named: null,
    physicalId: same,
    attributes: () => ({}),
    drift: false,
  },
  'AWS::S3::Bucket': {
    immutable: ['BucketName'],
    required: [],
    named: 'BucketName',
    physicalId: same,
    attributes: (name) => ({ Arn: `arn:aws:s3:::${name}`, DomainName: `${name}.s3.amazonaws.com` }),
    drift: true,
    refuses: ({ BucketName: name }) =>
      typeof name === 'string' && /[A-Z_]/.test(name)
        ? `Bucket name should not contain uppercase characters (Service: S3, Status Code: 400)`
        : undefined,
  },
  'AWS::SSM::Parameter': {
    immutable: ['Name'],
    required: ['Type', 'Value'],
    named: 'Name',
    physicalId: same,
    attributes: (_name, _account, { Type: type, Value: value }) => ({ Type: type ?? null, Value: value ?? null }),
    drift: true,
  },
  'AWS::Logs::LogGroup': {
    immutable: ['LogGroupName'],
    required: [],
    named: 'LogGroupName',
    physicalId: same,
    attributes: (name, account) => ({ Arn: arnOf(account, 'logs', `log-group:${name}:*`) }),
    drift: true,
  },
  'AWS::DynamoDB::Table': {
    immutable: ['TableName', 'KeySchema'],
    required: ['KeySchema'],
    named: 'TableName',
    physicalId: same,
    attributes: (name, account) => ({ Arn: arnOf(account, 'dynamodb', `table/${name}`) }),
    drift: true,
  },
  'AWS::IAM::Role': {
    immutable: ['RoleName', 'Path'],
    required: ['AssumeRolePolicyDocument'],
    named: 'RoleName',
    physicalId: same,
    attributes: (name, account) => ({ Arn: `arn:aws:iam::${account.id}:role/${name}`, RoleId: idOf(name) }),
    drift: true,
  },
  'AWS::Lambda::Function': {
    immutable: ['FunctionName', 'PackageType'],
    required: ['Code', 'Role'],
    named: 'FunctionName',
    physicalId: same,
    attributes: (name, account) => ({ Arn: arnOf(account, 'lambda', `function:${name}`) }),
    drift: true,
    writeOnly: ['Code'],
  },
  'AWS::Lambda::Permission': {
    immutable: ['FunctionName', 'Action', 'Principal', 'SourceArn'],
    required: ['FunctionName', 'Action', 'Principal'],
    named: null,
    physicalId: same,
    attributes: () => ({}),
    drift: false,
  },
  'AWS::Events::Rule': {
    immutable: ['Name'],
    required: [],
    named: 'Name',
    physicalId: same,
    attributes: (name, account) => ({ Arn: arnOf(account, 'events', `rule/${name}`) }),
    drift: true,
  },
  'AWS::SecretsManager::Secret': {
    immutable: ['Name'],
    required: [],
    named: 'Name',
    physicalId: (name, account) => arnOf(account, 'secretsmanager', `secret:${name}-${idOf(name).slice(0, 6)}`),
    attributes: () => ({}),
    drift: true,
    writeOnly: ['SecretString', 'GenerateSecretString'],
  },
  'AWS::CloudFormation::WaitConditionHandle': {
    immutable: [],
    required: [],
    named: null,
    physicalId: same,
    attributes: () => ({}),
    drift: false,
  },
  'AWS::CloudFormation::Stack': {
    immutable: [],
    required: ['TemplateURL'],
    named: null,
    physicalId: same,
    attributes: () => ({}),
    drift: false,
  },
}

/** Types beyond the table behave like things without immutable properties; only what AWS could know exists. */
const GENERIC: ResourceType = {
  immutable: [],
  required: [],
  named: null,
  physicalId: same,
  attributes: (name, account) => ({ Arn: arnOf(account, 'service', name) }),
  drift: false,
}

export function resourceType(type: string): ResourceType | undefined {
  const known = TYPES[type]
  if (known) return known
  return /^(AWS::(?!Nope)[A-Za-z0-9]+::[A-Za-z0-9]+|Custom::[\w@-]+)$/.test(type) ? GENERIC : undefined
}

export const idOf = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, 12).toUpperCase()
