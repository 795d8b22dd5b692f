import type { Json, JsonObject } from '../../../lib/json.ts'
import { resourcesIn } from './expressions.ts'

/** A property that names something on the disk. */
export interface LocalReference {
  /** Place of the property inside the template. */
  path: string[]
  /** As it is written, relative to the template. */
  local: string
  kind: 'template' | 'code' | 'file'
  /** How the place in the bucket is written. */
  shape: Shape
}
type Shape = 'url' | 's3uri' | readonly [bucket: string, key: string]

interface Packable {
  type: string
  property: readonly string[]
  kind: LocalReference['kind']
  shape: Shape
}

const CODE = ['S3Bucket', 'S3Key'] as const
/** What `aws cloudformation package` packs (its reference page), and SAM's own properties. */
const PACKABLE: readonly Packable[] = [
  { type: 'AWS::CloudFormation::Stack', property: ['TemplateURL'], kind: 'template', shape: 'url' },
  { type: 'AWS::Serverless::Application', property: ['Location'], kind: 'template', shape: 'url' },
  { type: 'AWS::Serverless::Function', property: ['CodeUri'], kind: 'code', shape: 's3uri' },
  { type: 'AWS::Serverless::LayerVersion', property: ['ContentUri'], kind: 'code', shape: 's3uri' },
  { type: 'AWS::Serverless::Api', property: ['DefinitionUri'], kind: 'file', shape: 's3uri' },
  { type: 'AWS::Serverless::HttpApi', property: ['DefinitionUri'], kind: 'file', shape: 's3uri' },
  { type: 'AWS::Serverless::StateMachine', property: ['DefinitionUri'], kind: 'file', shape: 's3uri' },
  { type: 'AWS::Lambda::Function', property: ['Code'], kind: 'code', shape: CODE },
  { type: 'AWS::Lambda::LayerVersion', property: ['Content'], kind: 'code', shape: CODE },
  { type: 'AWS::ApiGateway::RestApi', property: ['BodyS3Location'], kind: 'file', shape: ['Bucket', 'Key'] },
  {
    type: 'AWS::StepFunctions::StateMachine',
    property: ['DefinitionS3Location'],
    kind: 'file',
    shape: ['Bucket', 'Key'],
  },
  { type: 'AWS::ElasticBeanstalk::ApplicationVersion', property: ['SourceBundle'], kind: 'code', shape: CODE },
  { type: 'AWS::AppSync::GraphQLSchema', property: ['DefinitionS3Location'], kind: 'file', shape: 's3uri' },
  { type: 'AWS::AppSync::Resolver', property: ['RequestMappingTemplateS3Location'], kind: 'file', shape: 's3uri' },
  { type: 'AWS::AppSync::Resolver', property: ['ResponseMappingTemplateS3Location'], kind: 'file', shape: 's3uri' },
  { type: 'AWS::Glue::Job', property: ['Command', 'ScriptLocation'], kind: 'file', shape: 's3uri' },
]

/** Every property of the template that names a local path. */
export function localReferences(template: JsonObject): LocalReference[] {
  const found: LocalReference[] = []
  const look = (base: string[], properties: Json | undefined, { property, kind, shape }: Packable): void => {
    const value = property.reduce<Json | undefined>((inner, name) => memberOf(inner, name), properties)
    if (typeof value === 'string' && isLocal(value))
      found.push({ path: [...base, ...property], local: value, kind, shape })
  }
  for (const [logicalId, resource] of resourcesIn(template)) {
    // A function that is a container image has no code to pack.
    if (memberOf(resource['Properties'], 'PackageType') === 'Image') continue
    for (const one of PACKABLE) {
      if (one.type === resource['Type']) look(['Resources', logicalId, 'Properties'], resource['Properties'], one)
    }
  }
  const sharedFunction = PACKABLE.find(({ type }) => type === 'AWS::Serverless::Function')!
  look(['Globals', 'Function'], memberOf(template['Globals'], 'Function'), sharedFunction)
  return found
}

/** How a reference is written once its content lies in the bucket. */
export function placeOf({ shape }: LocalReference, place: { bucket: string; key: string; url: string }): Json {
  if (shape === 'url') return place.url
  if (shape === 's3uri') return `s3://${place.bucket}/${place.key}`
  return { [shape[0]]: place.bucket, [shape[1]]: place.key }
}

const isLocal = (value: string): boolean => value !== '' && !/^(s3|https?|arn):/.test(value) && !value.includes('{{')

const memberOf = (value: Json | undefined, name: string): Json | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject)[name] : undefined
