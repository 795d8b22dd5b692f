import { expect, test } from 'vitest'
import { hostExample } from '../../../test/hosts/example.ts'
import { describeWithHosts, upHosts } from '../../../test/hosts/hosts.ts'
import { findTool } from '../../../test/tools.ts'
import { testContext } from '../testing/context.ts'
import { PuppetConfig } from './config.ts'
import { puppetDriver } from './index.ts'

describeWithHosts('the Puppet example', () => {
  test.skipIf(findTool('puppet') === null)(
    'is detected, valid, and goes all the way',
    { timeout: 240_000 },
    async () => {
      const hosts = await upHosts(1)
      const { files, path, settings, env } = await hostExample('puppet', hosts)
      const context = await testContext<PuppetConfig>({ config: PuppetConfig.parse(settings), files, path, env })
      try {
        expect((await puppetDriver.detect(Object.keys(files), context.read)).stacks).toMatchObject([{ path: 'web' }])
        expect(await puppetDriver.dependencies(context.read, context.list, path, context.config)).toEqual([])
        expect(await puppetDriver.validate(context)).toEqual([])
        const plan = await puppetDriver.plan(context)
        expect(plan.changes.map(({ address }) => address)).toEqual([
          'web1/File[/etc/motd]',
          'web1/File[/etc/greeting.d]',
          'web1/File[/etc/greeting.d/motto.conf]',
        ])
        expect((await puppetDriver.apply(context, plan)).status).toBe('applied')
        expect(await hosts.exec(1, 'cat /etc/motd')).toContain('host1: this is staging\n')
        expect(await hosts.exec(1, 'wc -l </etc/greeting.d/changes')).toBe('1\n')
        expect((await puppetDriver.plan(await context.next())).changes).toEqual([])
      } finally {
        await context.remove()
        await hosts.close()
      }
    },
  )
})
