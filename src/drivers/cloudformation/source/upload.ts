import { createHash, createHmac } from 'node:crypto'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Artefact } from './artefacts.ts'
import { type Cloud, throwIfStopped } from '../api/cloud.ts'

const TIMEOUT_MS = 10 * 60_000

/** Address of an object. Path style: buckets may have dots in their names, and templates' URLs may be either. */
export const objectUrl = (cloud: Pick<Cloud, 's3Endpoint'>, bucket: string, key: string): string =>
  `${cloud.s3Endpoint.replace(/\/$/, '')}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`

/** Puts files into the bucket; those that are there are left alone, since a key is its content. */
export async function upload(
  cloud: Cloud,
  bucket: string,
  artefacts: readonly Artefact[],
  { signal, log }: { signal: AbortSignal; log: (line: string) => void },
): Promise<void> {
  for (const { key, content } of artefacts) {
    const doing = `putting ${key} into the bucket ${bucket}`
    throwIfStopped(signal, doing)
    const there = await request(cloud, { method: 'HEAD', bucket, key, signal, doing })
    if (there.ok) continue
    const answer = await request(cloud, { method: 'PUT', bucket, key, body: content, signal, doing })
    if (!answer.ok) throw refused(answer.status, answer.text, doing)
    log(`uploaded s3://${bucket}/${key} (${content.length} bytes)`)
  }
}

interface S3Request {
  method: 'HEAD' | 'PUT'
  bucket: string
  key: string
  body?: Buffer
  signal: AbortSignal
  doing: string
}

async function request(cloud: Cloud, { method, bucket, key, body, signal, doing }: S3Request) {
  const url = new URL(objectUrl(cloud, bucket, key))
  // Only those who upload pay for loading it.
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const signer = new SignatureV4({
    service: 's3',
    region: cloud.region,
    credentials: cloud.credentials,
    sha256: Sha256,
    // S3 signs the path as it stands, not encoded twice.
    uriEscapePath: false,
  })
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port && { port: Number(url.port) }),
    path: url.pathname,
    query: {},
    headers: {
      host: url.host,
      'x-amz-content-sha256': createHash('sha256')
        .update(body ?? '')
        .digest('hex'),
    },
    ...(body && { body }),
  })
  const { host: _host, ...headers } = signed.headers
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body && { body: new Uint8Array(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    return { ok: response.ok, status: response.status, text: await response.text() }
  } catch (cause) {
    throwIfStopped(signal, doing)
    throw new TrueupError('TARGET_UNREACHABLE', {
      doing,
      why: `S3 does not answer: ${(cause as Error).message}`,
      cause,
    })
  }
}

function refused(status: number, text: string, doing: string): TrueupError {
  const code = /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ?? String(status)
  if (code === 'NoSuchBucket') {
    return new TrueupError('CONFIG_INVALID', {
      doing,
      why: 'there is no such bucket',
      next: 'Create the bucket, or name another in `with.bucket`.',
    })
  }
  if (status === 403)
    return new TrueupError('TARGET_DENIED', {
      doing,
      why: code,
      next: 'Allow s3:PutObject and s3:GetObject on the bucket.',
    })
  return new TrueupError(status >= 500 ? 'UNAVAILABLE' : 'TOOL_FAILED', { doing, why: code })
}

/** The hash in the shape that the signer takes. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret === undefined ? undefined : bytes(secret)
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data))
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset(): void {}
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8')
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}
