import { access } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { refusalAnswer } from '../git/push-answer.ts'
import { type PushRequest, readPushRequest } from '../git/push-request.ts'
import { type Refusal, refusalsOf, symbolicRefusals, wantsBootstrap } from '../git/push-rules.ts'
import type { GitService } from '../git/repository.ts'
import { asTrueupError, TrueupError } from '../lib/errors/error.ts'

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
  /** What must be done before a push may move a ref; where it fails none moves. */
  beforePush?: (push: Pick<PushRequest, 'updates' | 'options'>) => Promise<void>
  limits?: { maxPushBytes?: number; timeoutMs?: number; idleMs?: number }
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

/** git says something every 5 s while it computes (`receive.keepAlive`): a connection without a byte has been left. */
const DEFAULT_LIMITS = { maxPushBytes: 1024 * 1024 * 1024, timeoutMs: 30 * 60_000, idleMs: 120_000 }
const SERVICES = ['git-upload-pack', 'git-receive-pack']
/** Everything else of the client's headers stays here. */
const PASSED_ON = ['content-type', 'git-protocol', 'accept', 'accept-encoding']
/** How the body comes; of a push it is read here and goes on as it is. */
const BODY = ['content-length', 'content-encoding']

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
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const left = leaveIdle(request, limits.idleMs)
  try {
    const push = target.isPush ? await pushOf(request, response, options) : null
    if (target.isPush && !push) return nothing
    if (push && !(await prepared(response, push, options))) return nothing
    const ticket = await options.service.http.admit({
      repository: options.repositoryId,
      user: options.user,
      pushFile: options.pushFile,
      protectedRefs: options.protectedRefs,
      defaultRef: push?.defaultRef ?? '',
      allowBootstrap: push?.mayBootstrap ?? false,
      openMergeRequests: options.openMergeRequests ?? [],
      maxPushBytes: limits.maxPushBytes,
      timeoutMs: limits.timeoutMs,
    })
    await forward(request, response, options.service.http.socketPath, target, ticket, push)
  } catch (error) {
    if (response.headersSent) throw error
    const status = error instanceof TrueupError ? error.status : 500
    refuse(request, response, status, 'Git is not available: try again in a moment.')
    return nothing
  } finally {
    left()
  }
  if (!target.isPush) return nothing
  const pushed = await exists(options.pushFile)
  return { pushed, uncertain: !pushed }
}

/** Ends a connection on which nothing moves, whoever it is that does not read or write: it holds a place of git. */
function leaveIdle({ socket }: IncomingMessage, idleMs: number): () => void {
  const leave = (): void => void socket.destroy()
  socket.setTimeout(idleMs, leave)
  return () => {
    socket.off('timeout', leave)
    socket.setTimeout(0)
  }
}

interface CheckedPush {
  request: PushRequest
  /** The request body as git is to read it, from `request.rest` on. */
  body: Readable
  defaultRef: string
  mayBootstrap: boolean
}

/** What a push asks for, where it may be; answers the client itself and gives null where not. No ref has moved yet. */
async function pushOf(
  request: IncomingMessage,
  response: ServerResponse,
  options: GitHttpOptions,
): Promise<CheckedPush | null> {
  const body = bodyOf(request)
  if (!body) {
    refuse(request, response, 415, 'Trueup reads pushes as they are or compressed by gzip.')
    return null
  }
  let push: PushRequest
  try {
    push = await readPushRequest(body)
  } catch (error) {
    const { status, text } = asTrueupError(error, 'reading a push')
    body.resume()
    refuse(request, response, status >= 500 ? 400 : status, `The push is refused: ${text.why}.`)
    return null
  }
  const own = options.service.repository(options.repositoryId)
  const defaultRef = `refs/heads/${await own.defaultBranch()}`
  const mayBootstrap =
    options.allowBootstrap && wantsBootstrap(push.updates, defaultRef) && (await own.refs('refs/heads/')).size === 0
  const rules = { protectedRefs: options.protectedRefs, defaultRef, mayBootstrap }
  const refusals = [...refusalsOf(push, rules), ...(await symbolicRefusals(own.directory, push.updates))]
  if (refusals.length === 0) return { request: push, body, defaultRef, mayBootstrap }
  await answerRefusals(body, response, push, refusals)
  return null
}

/** Does what has to be done before refs move; where that fails git's own answer says so, since clients show no other text. */
async function prepared(response: ServerResponse, push: CheckedPush, options: GitHttpOptions): Promise<boolean> {
  const { updates } = push.request
  try {
    await options.beforePush?.(push.request)
    return true
  } catch (error) {
    const { text } = asTrueupError(error, 'recording who pushes')
    const lines = ['Trueup: nothing was pushed.', `${text.doing}: ${text.why}.`, `Next: ${text.next}`]
    const refusals = updates.map(({ ref }, at) => ({ ref, reason: 'not recorded', lines: at === 0 ? lines : [] }))
    await answerRefusals(push.body, response, push.request, refusals)
    return false
  }
}

function bodyOf(request: IncomingMessage): Readable | null {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return request
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return null
  const plain = createGunzip()
  pipeline(request, plain).catch(() => plain.destroy())
  return plain
}

/** The pack is read to its end: git reads an answer only then. */
async function answerRefusals(
  body: Readable,
  response: ServerResponse,
  push: PushRequest,
  refusals: readonly Refusal[],
): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) body.once(event, () => resolve())
    body.resume()
    if (body.readableEnded || body.destroyed) resolve()
  })
  if (response.destroyed) return
  response.writeHead(200, {
    'content-type': 'application/x-git-receive-pack-result',
    'cache-control': 'no-cache, max-age=0, must-revalidate',
  })
  response.end(refusalAnswer(push, refusals))
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
  push: CheckedPush | null,
): Promise<void> {
  const headers: OutgoingHttpHeaders = { 'x-trueup-ticket': ticket }
  for (const name of push ? PASSED_ON : [...PASSED_ON, ...BODY])
    if (request.headers[name] !== undefined) headers[name] = request.headers[name]
  const upstream = httpRequest({ socketPath, method: request.method, path: target.path, headers, agent: false })
  const gone = (): void => void upstream.destroy()
  response.once('close', gone)
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve)
    upstream.once('error', reject)
    upstream.once('close', () => reject(new Error('the git process closed the connection')))
  })
  // A body that git stops reading is no failure as long as an answer comes.
  if (push) upstream.write(Buffer.concat([push.request.head, push.request.rest]))
  const sent = pipeline(push?.body ?? request, upstream).catch(() => request.resume())
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
