import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const LAUNCHER = join(import.meta.dirname, '../../bin/trueup.mjs')
/** What the launcher sees of its own Node; the pinned one that it starts is real. */
const AS_NODE_20 =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})'

describe('bin/trueup.mjs under a Node that is too old', () => {
  let silent: Server
  let asked = (): void => {}
  beforeAll(async () => {
    silent = createServer(() => asked()).listen(0, '127.0.0.1')
    await once(silent, 'listening')
  })
  afterAll(() => {
    silent.closeAllConnections()
    silent.close()
  })

  it.each([
    ['to it alone, as kill does', 'SIGINT', false, 130],
    ['to it alone, as kill does', 'SIGTERM', false, 143],
    ['to the whole group, as a terminal does', 'SIGINT', true, 130],
    ['to the whole group, as timeout does', 'SIGTERM', true, 143],
  ] as const)('ends in good order on a signal %s: %s', async (_how, signal, toGroup, code) => {
    const waiting = new Promise<void>((resolve) => (asked = resolve))
    const { port } = silent.address() as AddressInfo
    const child = spawn(process.execPath, ['--import', AS_NODE_20, LAUNCHER, 'whoami'], {
      env: { PATH: process.env.PATH, TRUEUP_URL: `http://127.0.0.1:${port}`, TRUEUP_TOKEN: 'tut_x' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    const said = text(child.stderr)
    await waiting
    process.kill(toGroup ? -child.pid! : child.pid!, signal)
    expect(await once(child, 'close')).toEqual([code, null])
    expect(await said).toContain('it was interrupted')
  })
})
