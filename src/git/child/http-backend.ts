import type { ChildProcess } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { withSettings, type GitEnvironment } from '../environment.ts'
import { readPush } from '../push-file.ts'
import type { HttpAdmission } from '../repository.ts'
import { parseCgiHead, type CgiHead } from './cgi.ts'
import { syncPath, type Durability } from './durability.ts'
import type { Processes } from './processes.ts'

const MAX_HEAD = 64 * 1024
/**
 * A pack of a kilobyte can unpack to more than the machine's memory, by deltas that copy: git has no limit of its own. Real
 * pushes stay below: a client makes deltas of files up to 512 MiB, for which git holds twice that. KiB; kept as it is where
 * the shell cannot limit (macOS).
 */
const LIMITED = 'ulimit -v 2097152 2>/dev/null; exec "$0"'
/** The flush packet that ends a push; the client takes the push as done when it has it. */
const FLUSH = Buffer.from('0000')

export interface BackendContext {
  processes: Processes
  environment: GitEnvironment
  directoryOf: (repository: string) => string
  root: string
  /** Directory of git's own programs (`git --exec-path`). */
  execPath: string
  durability: Durability
}

/**
 * One request through `git http-backend`, streaming. The end of a push is held back until refs, objects and push file are
 * on the disk. When the client goes away git is ended, except once a push has arrived whole: then it is carried through.
 */
export async function serveBackend(
  context: BackendContext,
  admission: HttpAdmission,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://git')
  const isPush = request.method === 'POST' && url.pathname === '/git-receive-pack'
  const program = `${context.execPath}/git-http-backend`
  const [shell, ...argv] = isPush ? ['/bin/sh', '-c', LIMITED, program] : [program]
  const backend = context.processes.start(shell!, argv, {
    cwd: context.root,
    env: backendEnvironment(context, admission, request, url),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => {
    backend.once('error', () => resolve(null))
    backend.once('close', resolve)
  })
  let stderr = ''
  backend.stderr!.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-4096)))
  const timer = setTimeout(() => context.processes.end(backend), admission.timeoutMs)
  response.once('close', () => {
    if (!response.writableFinished && !(isPush && request.complete)) context.processes.end(backend)
  })
  const sent = sendBody(request, backend)
  try {
    const head = await readHead(backend)
    if (head === null) {
      const exitCode = await ended
      response.writeHead(502, { 'content-type': 'text/plain' })
      response.end(`git ended with ${exitCode ?? 'a signal'}: ${stderr.trim()}\n`)
      return
    }
    response.writeHead(head.status, head.headers)
    const tail = await copyBody(head.rest, backend, response, isPush)
    const exitCode = await ended
    if (isPush && exitCode === 0) await settlePush(context, admission)
    // An answer that was cut off must not look finished: the connection breaks off instead.
    if (exitCode === null) response.destroy()
    else response.end(tail)
  } finally {
    clearTimeout(timer)
    await sent
  }
}

function backendEnvironment(
  context: BackendContext,
  admission: HttpAdmission,
  request: IncomingMessage,
  url: URL,
): GitEnvironment {
  const environment: GitEnvironment = {
    ...context.environment,
    GIT_PROJECT_ROOT: context.root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${admission.repository}.git${url.pathname}`,
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    REMOTE_USER: oneLine(admission.user.name),
    REMOTE_ADDR: '127.0.0.1',
    TRUEUP_REPOSITORY: admission.repository,
    TRUEUP_USER_ID: oneLine(admission.user.id),
    TRUEUP_PROTECTED: admission.protectedRefs.join('\n'),
    TRUEUP_DEFAULT: admission.defaultRef,
    TRUEUP_BOOTSTRAP: admission.allowBootstrap ? '1' : '0',
    TRUEUP_PUSH_FILE: admission.pushFile,
    TRUEUP_OPEN_MRS: admission.openMergeRequests.map(({ branch, number }) => `${number} ${oneLine(branch)}`).join('\n'),
  }
  const optional: [string, string | string[] | undefined][] = [
    ['CONTENT_LENGTH', request.headers['content-length']],
    ['HTTP_CONTENT_ENCODING', request.headers['content-encoding']],
    ['GIT_PROTOCOL', request.headers['git-protocol']],
  ]
  for (const [name, value] of optional) if (typeof value === 'string') environment[name] = value
  return withSettings(environment, [
    ['receive.maxInputSize', String(admission.maxPushBytes)],
    // Mapped packs count towards the limit of a push too.
    ['core.packedGitWindowSize', '32m'],
    ['core.packedGitLimit', '256m'],
  ])
}

const oneLine = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ')

/** Resolves when git took the body or does not want it; what it does not want is read and dropped. */
async function sendBody(request: IncomingMessage, backend: ChildProcess): Promise<void> {
  try {
    await pipeline(request, backend.stdin!, { end: true })
  } catch {
    request.resume()
  }
}

async function readHead(backend: ChildProcess): Promise<CgiHead | null> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of backend.stdout!.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    const head = parseCgiHead(bytes)
    if (head) return head
    if (bytes.length > MAX_HEAD) return null
  }
  return null
}

/** Copies git's answer, slowing git down to the client's pace; of a push the last packet is kept and returned. */
async function copyBody(
  first: Buffer,
  backend: ChildProcess,
  response: ServerResponse,
  keepEnd: boolean,
): Promise<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  const write = async (chunk: Buffer): Promise<void> => {
    const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk
    const endsPush = keepEnd && bytes.length >= 4 && bytes.subarray(-4).equals(FLUSH)
    held = endsPush ? bytes.subarray(-4) : Buffer.alloc(0)
    const now = endsPush ? bytes.subarray(0, -4) : bytes
    if (now.length === 0 || response.destroyed || response.write(now)) return
    await new Promise<void>((resolve) => {
      const go = (): void => {
        response.off('drain', go)
        response.off('close', go)
        resolve()
      }
      response.once('drain', go)
      response.once('close', go)
    })
  }
  if (first.length > 0) await write(first)
  for await (const chunk of backend.stdout!) await write(chunk as Buffer)
  return held
}

async function settlePush(context: BackendContext, admission: HttpAdmission): Promise<void> {
  const push = await readPush(admission.pushFile)
  if (!push) return
  await syncPath(admission.pushFile)
  await syncPath(dirname(admission.pushFile))
  await context.durability.settle(
    context.directoryOf(admission.repository),
    push.updates.map((update) => update.ref),
  )
}
