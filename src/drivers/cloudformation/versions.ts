import type { DriverContext } from '../driver.ts'
import { checkVersion } from '../tools/check-version.ts'
import type { CloudFormationConfig } from './config.ts'

/** No tool is needed: the AWS SDK is part of Trueup. Its version stands for how the API is spoken. */
export async function versions(context: DriverContext<CloudFormationConfig>): Promise<{ [tool: string]: string }> {
  const { default: sdk } = await import('@aws-sdk/client-cloudformation/package.json', { with: { type: 'json' } })
  checkVersion({ name: 'aws-sdk', version: sdk.version }, context.toolVersion)
  return { 'aws-sdk': sdk.version }
}
