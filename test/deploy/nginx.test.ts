import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, fetch } from 'undici'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openShell, type Shell } from '../../src/cli/testing/process.ts'
import { freePort } from '../../src/lib/testing/free-port.ts'
import { runProcess } from '../../src/lib/process/run.ts'
import { describeWithTool } from '../tools.ts'
import { type Proxy, startNginx } from './nginx.ts'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')
const PATIENCE = { timeout: 180_000, interval: 100 }

describeWithTool('nginx', 'the shipped configuration of nginx', (tool) => {
  let shell: Shell
  let proxy: Proxy
  let work: string
  let env: Record<string, string>
  let agent: Agent

  const trueup = async (...argv: string[]) => {
    const ran = await shell.run(argv, { cwd: work, env })
    expect(ran.code, `trueup ${argv.join(' ')}: ${ran.err}`).toBe(0)
    return ran
  }
  const git = async (...argv: string[]): Promise<void> => {
    const ran = await runProcess({ argv: ['git', ...argv], cwd: work, env: { ...shell.env, ...env } })
    expect(ran.exitCode, `git ${argv.join(' ')}: ${ran.stderr}`).toBe(0)
  }

  beforeAll(async () => {
    shell = await openShell()
    const port = await freePort()
    const address = `https://127.0.0.1:${port}`
    const server = await shell.up(['--public-url', address, '--trust-proxy', '127.0.0.1'])
    proxy = await startNginx(tool.path, join(shell.home, 'nginx'), port, server.url)
    const token = readFileSync(join(shell.home, 'data', 'admin.token'), 'utf8').trim()
    env = {
      TRUEUP_URL: proxy.url,
      TRUEUP_TOKEN: token,
      NODE_EXTRA_CA_CERTS: proxy.authority,
      GIT_SSL_CAINFO: proxy.authority,
    }
    agent = new Agent({ connect: { ca: readFileSync(proxy.authority) } })
    work = join(shell.home, 'shop')
    await mkdir(work)
  })
  afterAll(async () => {
    await agent?.close()
    await proxy?.stop()
    await shell?.close()
  })

  it('takes a push of 30 MB, streams events, and lets a worker in by a socket', async () => {
    const stopping = new AbortController()
    const headers = { authorization: `Bearer ${env['TRUEUP_TOKEN']}` }
    const stream = await fetch(`${proxy.url}/api/v1/events`, { dispatcher: agent, headers, signal: stopping.signal })
    let heard = ''
    const hearing = (async () => {
      for await (const part of stream.body!) heard += Buffer.from(part as Uint8Array).toString()
    })().catch(() => {})

    expect((await trueup('repo', 'create', 'shop')).out.trim()).toBe(`${proxy.url}/git/shop.git`)
    const target = join(shell.home, 'srv')
    const helper = `!${process.execPath} --disable-warning=ExperimentalWarning ${MAIN} git-credential`
    await git('init', '--quiet', '--initial-branch', 'main')
    await git('config', '--global', `credential.${proxy.url}.helper`, helper)
    await mkdir(join(work, 'web'))
    await writeFile(join(work, 'web', 'index.html'), 'Hello\n')
    await writeFile(join(work, 'large'), randomBytes(30 * 1024 * 1024))
    const stack = `  - { path: web, driver: files, with: { target: ${target}, prune: listed } }`
    await writeFile(join(work, 'trueup.yaml'), `version: 1\nenvironments: { production: {} }\nstacks:\n${stack}\n`)
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Begin')
    await git('push', '--quiet', `${proxy.url}/git/shop.git`, 'HEAD:refs/heads/main')
    await vi.waitFor(() => expect(heard).toContain(`"topic":"stack"`), PATIENCE)
    stopping.abort()
    await hearing

    const enrolment = join(shell.home, 'token')
    await writeFile(enrolment, (await trueup('worker', 'enrol')).out)
    const argv = ['runner', '--server', proxy.url, '--ca', proxy.authority, '--token-file', enrolment]
    const runner = shell.start([...argv, '--data', join(shell.home, 'runner')], { env: { TRUEUP_LOG_LEVEL: 'debug' } })
    let said = ''
    runner.stderr?.on('data', (part: Buffer) => (said += part.toString()))
    try {
      const state = async () => (await trueup('stack', 'list', '--output', 'json')).json[0]?.state
      await vi.waitFor(async () => expect(await state(), said).toBe('in_sync'), { timeout: 180_000, interval: 500 })
      expect(readFileSync(join(target, 'index.html'), 'utf8')).toBe('Hello\n')
      expect(said).not.toContain('long-polling')
    } finally {
      const gone = new Promise((resolve) => runner.once('exit', resolve))
      runner.kill('SIGTERM')
      await gone
    }
  })

  it('keeps sessions to TLS, and counts logins by who really asks', async () => {
    await trueup('user', 'add', 'bob', '--email', 'bob@example.org')
    const log = (from: string) =>
      fetch(`${proxy.url}/api/v1/session`, {
        dispatcher: agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
        body: JSON.stringify({ name: 'bob', password: 'is not this one' }),
      })
    const seen: number[] = []
    for (let at = 0; at < 40 && seen.at(-1) !== 429; at++) seen.push((await log(`198.51.100.${at}`)).status)
    expect(seen.at(-1)).toBe(429)
    const plain = await fetch(`${proxy.plain}/stacks`, { redirect: 'manual' })
    expect([plain.status, plain.headers.get('location')]).toEqual([301, 'https://127.0.0.1/stacks'])
    expect((await fetch(`${proxy.url}/metrics`, { dispatcher: agent })).status).toBe(200)
  })
})
