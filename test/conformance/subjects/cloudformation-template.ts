/** What the stack of the suite is made of, on every endpoint. */
export const SECRET = 'correct-horse-battery'

export const template = ({ timeout = 30, extra = '' } = {}): string => `AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  DbPassword: { Type: String, NoEcho: true }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: jobs
      VisibilityTimeout: ${timeout}
      DelaySeconds: 5
  Topic:
    Type: AWS::SNS::Topic
    Properties: { TopicName: news, DisplayName: News }
  Password:
    Type: AWS::SSM::Parameter
    Properties: { Name: /jobs/password, Type: String, Value: !Ref DbPassword }
${extra}Outputs:
  Url: { Value: !Ref Queue }
`

/** A resource of which only its Lambda function knows anything. */
export const MADE = '  Made:\n    Type: Custom::Thing\n    Properties: { ServiceToken: arn:aws:lambda:x }\n'
