import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Account } from './account.ts'

/** As much of S3 as uploading takes: PUT, HEAD and GET of `/BUCKET/KEY`. A bucket must have been made by the test. */
export function serveBucket(account: Account, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname.slice(1))
  const bucket = path.split('/')[0] ?? ''
  const signed = /AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[^/]+\/s3\/aws4_request/.test(
    request.headers.authorization ?? '',
  )
  const answer = (status: number, code = ''): void => {
    const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
    response
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(code && request.method !== 'HEAD' ? xml : undefined)
  }
  if (!signed) return answer(403, 'AccessDenied')
  if (!account.buckets.has(bucket)) return answer(404, 'NoSuchBucket')
  if (request.method === 'PUT') {
    account.files.set(path, body)
    return answer(200)
  }
  const file = account.files.get(path)
  if (file === undefined) return answer(404, 'NoSuchKey')
  response.writeHead(200, { 'content-length': file.length }).end(request.method === 'HEAD' ? undefined : file)
}
