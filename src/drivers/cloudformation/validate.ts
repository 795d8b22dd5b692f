import type { Finding } from '../../domain/plan.ts'
import type { DriverContext } from '../driver.ts'
import type { CloudFormationConfig } from './config.ts'

export async function validate(_context: DriverContext<CloudFormationConfig>): Promise<Finding[]> {
  return []
}
