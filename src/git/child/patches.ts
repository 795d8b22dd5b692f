import { TrueupError } from '../../lib/errors/error.ts'
import type { PatchRequest, PatchSection } from '../protocol.ts'
import { cannotStart } from './processes.ts'
import type { RunContext } from './run.ts'

const START = Buffer.from('\ndiff --git ')

/**
 * Runs a diff command and keeps the beginning of every file's section, so that neither one huge file nor very many cost
 * more than the limits. Ends git once nothing more would be kept; sections that never came are simply not in the answer.
 */
export async function readPatches(context: RunContext, request: PatchRequest): Promise<PatchSection[]> {
  const child = context.processes.start('git', request.argv, {
    cwd: context.root,
    env: { ...context.environment, GIT_DIR: context.directoryOf(request.repository) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const doing = `comparing in repository ${request.repository}`
  const splitter = createSplitter(request)
  let stderr = ''
  let enough = false
  let timedOut = false
  child.stderr!.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-4096)))
  child.stdout!.on('data', (chunk: Buffer) => {
    if (enough || splitter.take(chunk)) return
    enough = true
    context.processes.end(child)
  })
  const timer = setTimeout(() => {
    timedOut = true
    context.processes.end(child)
  }, request.timeoutMs)
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(cannotStart(error)))
      child.once('close', resolve)
    })
    if (exitCode !== 0 && !enough && !timedOut) throw new TrueupError('GIT_FAILED', { doing, why: stderr.trim() })
    return splitter.finish(!enough && !timedOut)
  } finally {
    clearTimeout(timer)
  }
}

interface Splitter {
  /** False when nothing more is wanted. */
  take(chunk: Buffer): boolean
  finish(complete: boolean): PatchSection[]
}

function createSplitter(limits: PatchRequest): Splitter {
  const sections: PatchSection[] = []
  let parts: Buffer[] = []
  let kept = 0
  let total = 0
  let open = false
  /** The end of the last chunk, which may hold the beginning of START; a line feed before the first line makes all lines alike. */
  let carry = Buffer.from('\n')

  const close = (): void => {
    const section = sections.at(-1)
    if (section && open) section.text = Buffer.concat(parts)
    open = false
    parts = []
    kept = 0
  }
  const keep = (bytes: Buffer): void => {
    const section = sections.at(-1)
    if (!section) return
    const room = Math.max(Math.min(limits.maxBytesPerFile - kept, limits.maxBytes - total), 0)
    const taken = bytes.subarray(0, room)
    if (taken.length < bytes.length) section.truncated = true
    if (taken.length > 0) parts.push(Buffer.from(taken))
    kept += taken.length
    total += taken.length
  }
  return {
    take(chunk) {
      const bytes = Buffer.concat([carry, chunk])
      let at = 0
      for (let start = bytes.indexOf(START); start >= 0; start = bytes.indexOf(START, at)) {
        keep(bytes.subarray(at, start + 1))
        close()
        if (sections.length >= limits.maxFiles || total >= limits.maxBytes) return false
        sections.push({ text: Buffer.alloc(0), truncated: false })
        open = true
        at = start + 1
      }
      const safe = Math.max(at, bytes.length - START.length + 1)
      keep(bytes.subarray(at, safe))
      carry = Buffer.from(bytes.subarray(safe))
      return true
    },
    finish(complete) {
      if (complete) keep(carry)
      else if (open) sections.at(-1)!.truncated = true
      close()
      return sections
    },
  }
}
