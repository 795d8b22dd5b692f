import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeWithTool } from '../../../../test/tools.ts'
import { type TestContext, testContext } from '../../testing/context.ts'
import { PuppetConfig } from '../config.ts'
import { installModules } from './r10k.ts'

describeWithTool('r10k', 'modules of a Puppetfile', () => {
  let context: TestContext<PuppetConfig>
  afterEach(() => context?.remove())
  const source = {
    manifest: 'stack/site.pp',
    modulepath: ['stack/modules'],
    hiera: null,
    puppetfile: 'stack/Puppetfile',
  }

  /** A module in a Git repository of this machine. */
  function moduleRepository(): string {
    const directory = join(context.root, 'puppet-greeting')
    mkdirSync(join(directory, 'manifests'), { recursive: true })
    writeFileSync(join(directory, 'manifests/init.pp'), 'class greeting { }\n')
    const git = (...words: string[]): void =>
      void execFileSync('git', ['-C', directory, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...words])
    execFileSync('git', ['init', '-q', '-b', 'main', directory])
    git('add', '.')
    git('commit', '-qm', 'Start')
    return directory
  }

  test('are installed once, and not at all where the repository has them', { timeout: 300_000 }, async () => {
    context = await testContext<PuppetConfig>({ config: PuppetConfig.parse({}) })
    const url = moduleRepository()
    await context.write({ 'stack/Puppetfile': `mod 'greeting', git: '${url}', branch: 'main'\n` })
    const installed = await installModules(context, source)
    expect(execFileSync('cat', [join(installed!, 'greeting/manifests/init.pp')], { encoding: 'utf8' })).toContain(
      'class',
    )
    const later = await context.next()
    later.env.PATH = '/nowhere'
    // r10k is not even started, but it must be there.
    await expect(installModules(later, source)).rejects.toMatchObject({ code: 'TOOL_MISSING' })
    expect(await installModules(await context.next(), source)).toBe(installed)
    await context.write({ 'stack/modules/greeting/manifests/init.pp': 'class greeting { }\n' })
    expect(await installModules(later, source)).toBeNull()
  })

  test('that are private come with a token, which nobody gets to see', { timeout: 300_000 }, async () => {
    context = await testContext<PuppetConfig>({ config: PuppetConfig.parse({ puppetfileAccess: { token: 'TOKEN' } }) })
    const directory = moduleRepository()
    execFileSync('git', ['-C', directory, 'update-server-info'])
    const asked: string[] = []
    const server = createServer((request, response) => {
      const [, given = ''] = /^Basic (.*)$/.exec(request.headers.authorization ?? '') ?? []
      const login = Buffer.from(given, 'base64').toString()
      asked.push(login)
      const file = join(directory, '.git', new URL(request.url!, 'http://localhost').pathname.replace(/^\/m/, ''))
      if (login !== 'git:s3cr3t-token') response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      else if (!existsSync(file)) response.writeHead(404).end()
      else response.end(readFileSync(file))
    })
    server.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m`
      await context.write({ 'stack/Puppetfile': `mod 'greeting', git: '${url}', branch: 'main'\n` })
      await expect(installModules(context, source)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
      context.env.TOKEN = 's3cr3t-token'
      const installed = await installModules(context, source)
      expect(existsSync(join(installed!, 'greeting/manifests/init.pp'))).toBe(true)
      expect(asked).toContain('git:s3cr3t-token')
      expect(context.lines.join('\n')).not.toContain('s3cr3t-token')
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })

  test('that cannot be had are an error that says what to do', { timeout: 300_000 }, async () => {
    context = await testContext<PuppetConfig>({ config: PuppetConfig.parse({}) })
    await context.write({ 'stack/Puppetfile': "mod 'greeting', git: '/nowhere/greeting', branch: 'main'\n" })
    await expect(installModules(context, source)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      text: { next: expect.stringContaining('commit greeting into') as string },
    })
  })
})
