import { access } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { GitService } from '../git/repository.ts'
import { TrueupError } from '../lib/errors/error.ts'

export interface GitHttpOptions {
  service: GitService
  repositoryId: string
  /** Already authenticated and allowed to read; also to write where the request is a push. */
  user: { id: string; name: string }
  /** Path below the repository's own, as `http-backend` wants it: `/info/refs`, `/git-upload-pack`, `/git-receive-pack`. */
  path: string
  /** Absolute path of the file that names what was pushed, in an existing spool directory. */
  pushFile: string
  /** Full names of refs that nobody pushes to. */
  protectedRefs: string[]
  /** Allows the first push of the default branch into an empty repository. */
  allowBootstrap: boolean
  /** Open merge requests, for the words that `post-receive` says to the pusher. */
  openMergeRequests?: { branch: string; number: number }[]
  limits?: { maxPushBytes?: number; timeoutMs?: number }
}

export interface GitHttpResult {
  /** `pushFile` was written: read it with `readPush`. */
  pushed: boolean
  /**
   * A push left no push file. Mostly it was refused and no ref moved; but when git was killed or the spool's disk was full
   * refs may have moved without a record, so compare them with what is known.
   */
  uncertain: boolean
}

const DEFAULT_LIMITS = { maxPushBytes: 1024 * 1024 * 1024, timeoutMs: 30 * 60_000 }
const SERVICES = ['git-upload-pack', 'git-receive-pack']
/** Everything else of the client's headers stays here. */
const PASSED_ON = ['content-type', 'content-length', 'content-encoding', 'git-protocol', 'accept', 'accept-encoding']

/**
 * Serves one smart-HTTP request by the git child process, streaming both ways; resolves when the response has ended, and
 * never rejects for what client or git do. Whoever calls has checked who the user is and what they may do.
 */
export async function handleGitHttp(
  request: IncomingMessage,
  response: ServerResponse,
  options: GitHttpOptions,
): Promise<GitHttpResult> {
  const nothing = { pushed: false, uncertain: false }
  const target = smartTarget(request, options.path)
  if (!target) {
    refuse(request, response, 403, 'Trueup serves the smart Git protocol only: use a git client.')
    return nothing
  }
  let ticket: string
  try {
    ticket = await options.service.http.admit({
      repository: options.repositoryId,
      user: options.user,
      pushFile: options.pushFile,
      protectedRefs: options.protectedRefs,
      allowBootstrap: options.allowBootstrap,
      openMergeRequests: options.openMergeRequests ?? [],
      maxPushBytes: options.limits?.maxPushBytes ?? DEFAULT_LIMITS.maxPushBytes,
      timeoutMs: options.limits?.timeoutMs ?? DEFAULT_LIMITS.timeoutMs,
    })
  } catch (error) {
    refuse(
      request,
      response,
      error instanceof TrueupError ? error.status : 500,
      'Git is not available: try again in a moment.',
    )
    return nothing
  }
  await forward(request, response, options.service.http.socketPath, target, ticket)
  if (!target.isPush) return nothing
  const pushed = await exists(options.pushFile)
  return { pushed, uncertain: !pushed }
}

interface SmartTarget {
  path: string
  isPush: boolean
}

/** The three requests of the smart protocol; null for anything else. */
function smartTarget(request: IncomingMessage, path: string): SmartTarget | null {
  if (request.method === 'GET' && path === '/info/refs') {
    const service = new URL(request.url ?? '/', 'http://git').searchParams.get('service') ?? ''
    return SERVICES.includes(service) ? { path: `${path}?service=${service}`, isPush: false } : null
  }
  if (request.method !== 'POST' || !SERVICES.includes(path.slice(1))) return null
  return { path, isPush: path === '/git-receive-pack' }
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  socketPath: string,
  target: SmartTarget,
  ticket: string,
): Promise<void> {
  const headers: OutgoingHttpHeaders = { 'x-trueup-ticket': ticket }
  for (const name of PASSED_ON) if (request.headers[name] !== undefined) headers[name] = request.headers[name]
  const upstream = httpRequest({ socketPath, method: request.method, path: target.path, headers, agent: false })
  const gone = (): void => void upstream.destroy()
  response.once('close', gone)
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve)
    upstream.once('error', reject)
    upstream.once('close', () => reject(new Error('the git process closed the connection')))
  })
  // A body that git stops reading is no failure as long as an answer comes.
  const sent = pipeline(request, upstream).catch(() => request.resume())
  try {
    const answer = await answered
    const {
      connection: _connection,
      'keep-alive': _keepAlive,
      'transfer-encoding': _encoding,
      ...rest
    } = answer.headers
    response.writeHead(answer.statusCode ?? 502, rest)
    await pipeline(answer, response)
  } catch {
    if (response.headersSent || response.destroyed) response.destroy()
    else refuse(request, response, 503, 'Git is not available: try again in a moment.')
  } finally {
    response.off('close', gone)
    if (!request.complete) request.resume()
    else await sent
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  request.resume()
  if (response.destroyed) return
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 503 && { 'retry-after': '2' }),
  })
  response.end(`${text}\n`)
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
