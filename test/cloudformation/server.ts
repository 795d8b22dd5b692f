/**
 * A double of AWS CloudFormation, for tests only: AWS query protocol over HTTP, stacks with their true states and events,
 * change sets with property values, drift, rollback, nested stacks, imports, and a bucket to put templates and code into.
 * It is built from the API reference, the user guide and recorded answers. It is not the service: what real AWS does
 * beyond that is not proved by a test against it. It listens on the loopback only and knows no permissions.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Account, type AccountOptions, createAccount } from './account.ts'
import { ACTIONS } from './actions/index.ts'
import { answerXml, errorXml, ServiceError } from './answer.ts'
import { serveBucket } from './bucket.ts'
import { nestedOperations } from './nested.ts'
import { parseQuery } from './query.ts'

export interface CloudFormationServer {
  url: string
  account: Account
  /** Refuses every request from now on, as if the endpoint were gone. */
  close(): Promise<void>
}

const MAX_BODY = 64 * 1024 * 1024

/** Starts the double on a free port of the loopback. */
export async function startCloudFormation(options: AccountOptions = {}): Promise<CloudFormationServer> {
  const account = createAccount(nestedOperations, options)
  const server = createServer((request, response) => {
    handle(account, request, response).catch((thrown: unknown) => {
      response.writeHead(500).end(String(thrown))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, account, close: () => close(server) }
}

async function handle(account: Account, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request)
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
  if (request.method !== 'POST' || !isForm) return serveBucket(account, request, response, body)
  const requestId = randomUUID()
  const { action, parameters } = parseQuery(body.toString('utf8'))
  response.setHeader('content-type', 'text/xml')
  response.setHeader('x-amzn-requestid', requestId)
  try {
    answerable(account, request, action)
    const answer = ACTIONS[action]
    if (answer === undefined)
      throw new ServiceError('InvalidAction', `Could not find operation ${action} for version 2010-05-15`)
    const xml = answerXml(action, answer(account, parameters), requestId)
    if (account.lost.delete(action)) request.socket.destroy()
    else response.end(xml)
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown
    response.writeHead(thrown.status).end(errorXml(thrown, requestId))
  }
}

/** Signature, region and rate, before anything is done. The signature itself is not computed. */
function answerable(account: Account, request: IncomingMessage, action: string): void {
  account.requests.push({ action })
  const authorization = request.headers.authorization ?? ''
  const scope = /Credential=([^/]+)\/\d{8}\/([^/]+)\/cloudformation\/aws4_request/.exec(authorization)
  if (scope === null)
    throw new ServiceError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403)
  if (scope[1] === 'AKIAINVALID')
    throw new ServiceError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403)
  if (scope[1] === 'AKIADENIED')
    throw new ServiceError(
      'AccessDenied',
      `User: arn:aws:iam::${account.id}:user/ci is not authorized to perform: cloudformation:${action}`,
      403,
    )
  if (scope[2] !== account.region)
    throw new ServiceError(
      'SignatureDoesNotMatch',
      `Credential should be scoped to a valid region, not '${scope[2]}'.`,
      403,
    )
  const { throttleEvery, requests } = account
  if (throttleEvery > 0 && requests.length % throttleEvery === 0) throw new ServiceError('Throttling', 'Rate exceeded')
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY) throw new Error('the request is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
