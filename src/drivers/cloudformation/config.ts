import { z } from 'zod'

const relativePath = z.string().min(1).max(500)
const logicalId = z.string().regex(/^[A-Za-z0-9]{1,255}$/, 'letters and digits')

/** Values as parameters and templates take them; lists become comma-separated text. */
const ParameterValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])

/** The `with:` block of a CloudFormation or SAM stack. Paths are relative to the stack's directory. */
export const CloudFormationConfig = z.strictObject({
  /** Name of the stack in AWS; default `ENVIRONMENT-NAME`, with dashes for everything that a name may not have. */
  stackName: z
    .string()
    .regex(/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/, 'a letter, then letters, digits and dashes')
    .optional(),
  /** The template; default the first there is of template.yaml, template.yml and template.json. */
  template: relativePath.optional(),
  /** Default: AWS_REGION or AWS_DEFAULT_REGION of the run's environment. */
  region: z
    .string()
    .regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, 'a region like eu-central-1')
    .optional(),
  /** Address of another CloudFormation (and, where `s3Endpoint` is not set, S3) than that of the region. */
  endpoint: z.url().optional(),
  s3Endpoint: z.url().optional(),
  /** Values of the template's parameters; inputs of the same name win over them. */
  parameters: z.record(z.string(), ParameterValue).default({}),
  /** Files with parameters, YAML or JSON: an object, `{"Parameters": …}`, or the list that the AWS CLI takes. Later ones win. */
  parameterFiles: z.array(relativePath).max(50).default([]),
  /** Parameter → name of the variable of the run's environment that holds its value. Never shown. */
  secretParameters: z.record(z.string(), z.string()).default({}),
  tags: z.record(z.string(), z.string()).default({}),
  capabilities: z.array(z.enum(['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'])).default([]),
  /** Role that CloudFormation itself takes for the work on resources. */
  roleArn: z.string().max(2048).optional(),
  notificationArns: z.array(z.string()).max(5).default([]),
  /** A JSON file with the stack policy. Absent: left as it is. */
  stackPolicy: relativePath.optional(),
  /** Absent: left as it is. */
  terminationProtection: z.boolean().optional(),
  /** What becomes of a stack whose creation did not work. */
  onFailure: z.enum(['ROLLBACK', 'DELETE', 'DO_NOTHING']).default('ROLLBACK'),
  /** Bucket for packaged code, nested templates and templates above 51,200 bytes. */
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket')
    .optional(),
  bucketPrefix: z.string().max(200).default('trueup'),
  /** Existing resources that the next change set shall take into the stack. */
  imports: z
    .array(
      z.strictObject({
        logicalId,
        type: z.string(),
        identifier: z.record(z.string(), z.string()),
      }),
    )
    .max(200)
    .default([]),
  /** false plans without asking AWS for drift: faster, but such a plan finds none, and says so. */
  driftDetection: z.boolean().default(true),
  /** Credentials of the machine that the worker runs on (instance or task role), where the environment has none. */
  machineRole: z.boolean().default(false),
  /** Between two looks at something that is in progress. */
  pollSeconds: z.number().min(0.01).max(60).default(2),
  /** How long a plan waits for a change set and for drift detection. */
  planTimeoutMinutes: z.number().min(0.05).max(240).default(20),
})
export type CloudFormationConfig = z.infer<typeof CloudFormationConfig>
