/** Name-like properties that can be changed on the living resource ("Update requires: No interruption"). */
const RENAMED = new Set([
  'AWS::ApiGateway::RestApi.Name',
  'AWS::ApiGatewayV2::Api.Name',
  'AWS::ApiGateway::UsagePlan.UsagePlanName',
  'AWS::AppSync::GraphQLApi.Name',
  'AWS::Backup::BackupPlan.BackupPlanName',
  'AWS::CloudFront::Function.Name',
  'AWS::Cognito::UserPool.UserPoolName',
  'AWS::Cognito::UserPoolClient.ClientName',
  'AWS::SSM::Document.Name',
])

/** Other properties that AWS documents with "Update requires: Replacement", of the types that stacks mostly hold. */
const CREATE_ONLY: { readonly [type: string]: readonly string[] } = {
  'AWS::DynamoDB::Table': ['KeySchema', 'LocalSecondaryIndexes'],
  'AWS::EC2::Instance': ['ImageId', 'SubnetId', 'AvailabilityZone', 'KeyName'],
  'AWS::EC2::SecurityGroup': ['GroupDescription', 'GroupName', 'VpcId'],
  'AWS::EC2::Subnet': ['CidrBlock', 'VpcId', 'AvailabilityZone'],
  'AWS::EC2::VPC': ['CidrBlock'],
  'AWS::EC2::Volume': ['AvailabilityZone', 'SnapshotId'],
  'AWS::ECS::Service': ['Cluster', 'LaunchType'],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ['Scheme', 'Type'],
  'AWS::ElasticLoadBalancingV2::TargetGroup': ['Port', 'Protocol', 'VpcId', 'TargetType'],
  'AWS::IAM::Role': ['Path'],
  'AWS::KMS::Alias': ['AliasName'],
  'AWS::Lambda::Permission': ['FunctionName', 'Action', 'Principal', 'SourceArn'],
  'AWS::Lambda::Version': ['FunctionName'],
  'AWS::RDS::DBInstance': ['DBInstanceIdentifier', 'DBName', 'Engine', 'MasterUsername', 'StorageEncrypted'],
  'AWS::SNS::Subscription': ['Endpoint', 'Protocol', 'TopicArn'],
  'AWS::SNS::Topic': ['FifoTopic'],
  'AWS::SQS::Queue': ['FifoQueue'],
}

/**
 * Properties among these that cannot be changed on the living resource. Asked only where the endpoint does not say itself
 * what would be replaced, which AWS always does: the name of a thing (`QueueName` of a queue, `Name`) makes it anew.
 */
export function createOnly(type: string, properties: readonly string[]): string[] {
  const kind = type.split('::').at(-1) ?? ''
  const names = new Set([
    ...(CREATE_ONLY[type] ?? []),
    ...['Name', `${kind}Name`].filter((each) => !RENAMED.has(`${type}.${each}`)),
  ])
  return [...new Set(properties.map((path) => /^[A-Za-z0-9]+/.exec(path)?.[0] ?? path))].filter((each) =>
    names.has(each),
  )
}
