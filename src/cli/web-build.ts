import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * In a checkout, builds the web application beside the start of the server, which serves it as soon as it is there; done
 * at once when it is new enough. A package brings it along. `note` hears of a build that did not succeed.
 */
export function startWebBuild(note: (line: string) => void): { done: Promise<void>; stop: () => void } {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'build-web.ts')
  if (!existsSync(script)) return { done: Promise.resolve(), stop: () => undefined }
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return { done: ended(child, note), stop: () => void child.kill() }
}

async function ended(child: ChildProcess, note: (line: string) => void): Promise<void> {
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (status, signal) => resolve(status ?? (signal === 'SIGTERM' ? 0 : (signal ?? 1))))
  })
  if (code !== 0) note(`The web application was not built (${code}); everything else works. ${said.trim()}`)
}
