import type { CloudFormation } from '@aws-sdk/client-cloudformation'
import { setTimeout as delay } from 'node:timers/promises'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { CloudFormationConfig } from '../config.ts'
import { stackNameOf } from '../names.ts'
import { type CredentialProvider, credentialsOf } from './credentials.ts'
import { apiFailure } from './failures.ts'

/** Attempts per call, the first included. Throttling is common: the limits of the API are low and shared by an account. */
const ATTEMPTS = 7

/** The SDK's own variable goes before. */
const attemptsOf = ({ AWS_MAX_ATTEMPTS: given }: { [name: string]: string | undefined }): number =>
  given !== undefined && /^[1-9]\d?$/.test(given) ? Number(given) : ATTEMPTS
const CONNECT_MS = 5_000
const ANSWER_MS = 60_000

/** One account and region, as one run sees it. */
export interface Cloud {
  stackName: string
  region: string
  endpoint: string
  s3Endpoint: string
  credentials: CredentialProvider
  /**
   * One call. Errors are TrueupErrors that say `doing`; with `raw` they are the SDK's own, for those who look at them.
   * Ends with the run's signal unless `detached`.
   */
  call<Output>(
    doing: string,
    request: (api: CloudFormation, options: { abortSignal?: AbortSignal }) => Promise<Output>,
    how?: { raw?: boolean; detached?: boolean },
  ): Promise<Output>
  /** Waits one interval between two looks; CANCELED when the run is stopped meanwhile. */
  pause(): Promise<void>
  close(): void
}

/** Connects a run. Nothing is sent yet. CONFIG_INVALID without a region, TARGET_DENIED without credentials. */
export async function openCloud(context: DriverContext<CloudFormationConfig>): Promise<Cloud> {
  const { config, env, signal } = context
  const region = regionOf(context)
  const credentials = await credentialsOf(context, region)
  const endpoint =
    config.endpoint ??
    env.AWS_ENDPOINT_URL_CLOUDFORMATION ??
    env.AWS_ENDPOINT_URL ??
    awsEndpoint('cloudformation', region)
  const s3Endpoint =
    config.s3Endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? config.endpoint ?? env.AWS_ENDPOINT_URL ?? awsEndpoint('s3', region)
  const { CloudFormation: Api } = await import('@aws-sdk/client-cloudformation')
  const api = new Api({
    region,
    // Given whole, so that nothing of it is looked up in the environment of the worker's own process.
    endpoint,
    credentials,
    maxAttempts: attemptsOf(env),
    retryMode: 'standard',
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
    defaultUserAgentProvider: async () => [['trueup']],
  })
  const pauseMs = config.pollSeconds * 1000
  return {
    stackName: stackNameOf(context),
    region,
    endpoint,
    s3Endpoint,
    credentials,
    async call(doing, request, how = {}) {
      if (!how.detached) throwIfStopped(signal, doing)
      try {
        return await request(api, how.detached ? {} : { abortSignal: signal })
      } catch (thrown) {
        if (!how.detached) throwIfStopped(signal, doing)
        throw how.raw ? thrown : apiFailure(thrown, doing)
      }
    },
    async pause() {
      await delay(pauseMs, undefined, { signal }).catch(() => throwIfStopped(signal, 'waiting for AWS'))
    },
    close: () => api.destroy(),
  }
}

/** The run was stopped: its own reason where that is an error of ours. */
export function throwIfStopped(signal: AbortSignal, doing: string): void {
  if (!signal.aborted) return
  if (signal.reason instanceof TrueupError) throw signal.reason
  throw new TrueupError('CANCELED', { doing, why: 'the run was stopped' })
}

function regionOf({ config, env, stack }: DriverContext<CloudFormationConfig>): string {
  const region = config.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION
  if (region) return region
  throw new TrueupError('CONFIG_INVALID', {
    doing: `looking for the region of stack "${stack.name}"`,
    why: 'neither `with.region` nor the variable AWS_REGION names one',
    next: 'Set `region` in the stack’s `with:` block, or AWS_REGION as a variable of the environment.',
  })
}

/** Regional address; regions of China have a domain of their own. */
function awsEndpoint(service: string, region: string): string {
  return `https://${service}.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
}
