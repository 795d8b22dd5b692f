import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
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

  test('are installed once, and not at all where the repository has them', { timeout: 180_000 }, async () => {
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

  test('that cannot be had are an error that says what to do', { timeout: 180_000 }, async () => {
    context = await testContext<PuppetConfig>({ config: PuppetConfig.parse({}) })
    await context.write({ 'stack/Puppetfile': "mod 'greeting', git: '/nowhere/greeting', branch: 'main'\n" })
    await expect(installModules(context, source)).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      text: { next: expect.stringContaining('commit greeting into') as string },
    })
  })
})
