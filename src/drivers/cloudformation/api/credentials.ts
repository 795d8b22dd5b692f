import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { CloudFormationConfig } from '../config.ts'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  expiration?: Date
}
export type CredentialProvider = () => Promise<Credentials>

/**
 * Where the credentials of a run come from, in this order: keys in its environment, a web identity (OIDC), a profile of
 * the shared files, the role of the machine where the stack allows it. Never the worker's own environment: the run's
 * holds what this stack may use. TARGET_DENIED where there are none.
 */
export async function credentialsOf(
  context: DriverContext<CloudFormationConfig>,
  region: string,
): Promise<CredentialProvider> {
  const { env, config } = context
  const keyId = env.AWS_ACCESS_KEY_ID
  const secret = env.AWS_SECRET_ACCESS_KEY
  if (keyId && secret) {
    context.mask(secret)
    if (env.AWS_SESSION_TOKEN) context.mask(env.AWS_SESSION_TOKEN)
    const token = env.AWS_SESSION_TOKEN
    return async () => ({ accessKeyId: keyId, secretAccessKey: secret, ...(token && { sessionToken: token }) })
  }
  if (env.AWS_ROLE_ARN && env.AWS_WEB_IDENTITY_TOKEN_FILE) return webIdentity(context, region)
  if (env.AWS_PROFILE) return profile(context, env.AWS_PROFILE, region)
  if (config.machineRole) {
    const { fromInstanceMetadata } = await import('@smithy/credential-provider-imds')
    return fromInstanceMetadata({ timeout: 2_000, maxRetries: 2 })
  }
  throw new TrueupError('TARGET_DENIED', {
    doing: `signing in to AWS for stack "${context.stack.name}"`,
    why: 'the environment of the run has no credentials',
    next: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as variables of the environment, or AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE, or AWS_PROFILE with AWS_SHARED_CREDENTIALS_FILE; `machineRole: true` uses the role of the worker’s machine.',
  })
}

async function webIdentity({ env }: DriverContext<unknown>, region: string): Promise<CredentialProvider> {
  const { fromWebToken } = await import('@aws-sdk/credential-provider-web-identity')
  return async () =>
    fromWebToken({
      roleArn: env.AWS_ROLE_ARN ?? '',
      webIdentityToken: (await readFile(env.AWS_WEB_IDENTITY_TOKEN_FILE ?? '', 'utf8')).trim(),
      roleSessionName: env.AWS_ROLE_SESSION_NAME ?? 'trueup',
      clientConfig: { region },
    })()
}

async function profile({ env }: DriverContext<unknown>, name: string, region: string): Promise<CredentialProvider> {
  const { fromIni } = await import('@aws-sdk/credential-provider-ini')
  const home = join(env.HOME ?? '/', '.aws')
  return fromIni({
    profile: name,
    filepath: env.AWS_SHARED_CREDENTIALS_FILE ?? join(home, 'credentials'),
    configFilepath: env.AWS_CONFIG_FILE ?? join(home, 'config'),
    clientConfig: { region },
  })
}
