import type { Place } from '../../domain/plans/place.ts'
import { digestOf } from '../../lib/digest.ts'
import type { PlaceSource } from '../driver.ts'
import type { CloudFormationConfig } from './config.ts'
import { stackNameOf } from './names.ts'

/**
 * Account, region and name of the stack in AWS. The account is known by the credentials of the run: two stacks of one name
 * are common where each environment has an account, so that nothing is said while the credentials are not known.
 */
export async function place(source: PlaceSource<CloudFormationConfig>): Promise<Place | null> {
  const { config, environment, name, variables } = source
  const account = accountOf(source)
  const region = config.region ?? variables.AWS_REGION ?? variables.AWS_DEFAULT_REGION
  if (account === null || !region) return null
  const endpoint = config.endpoint ?? variables.AWS_ENDPOINT_URL_CLOUDFORMATION ?? variables.AWS_ENDPOINT_URL
  const where = endpoint === undefined ? region : `${new URL(endpoint).host} ${region}`
  return { address: `cloudformation:${where} ${account} ${stackNameOf({ config, stack: { environment, name } })}` }
}

/** In the order in which the driver takes credentials. An identity, not a secret; keys are told apart by a digest. */
function accountOf({ config, variables, pool }: PlaceSource<CloudFormationConfig>): string | null {
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_ROLE_ARN: role, AWS_PROFILE: profile } = variables
  if (key && secret) return `key ${digestOf(key).slice('sha256:'.length).slice(0, 12)}`
  if (role && variables.AWS_WEB_IDENTITY_TOKEN_FILE) return `account ${role.split(':')[4] ?? role}`
  if (profile) return `profile ${profile} of pool ${pool}`
  return config.machineRole ? `machine of pool ${pool}` : null
}

/**
 * The stack as AWS names it (`arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID`), whatever keys or roles lead there. An
 * endpoint of one's own may give every account one number, and is part of it.
 */
export function placeOfArn(stackId: string | undefined, endpoint: string): Place[] {
  const [, partition, , region, account, resource] = stackId?.split(':') ?? []
  const name = resource?.split('/')[1]
  if (!region || !account || !name) return []
  const { host } = new URL(endpoint)
  const where = /\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(host) ? partition : `${host} ${partition}`
  return [{ address: `cloudformation:${where} ${region} account ${account} ${name}` }]
}
