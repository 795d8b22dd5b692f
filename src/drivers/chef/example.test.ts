import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { chefClient } from '../../../test/chef/client.ts'
import { hostExample } from '../../../test/hosts/example.ts'
import { describeWithHosts, upHosts } from '../../../test/hosts/hosts.ts'
import { testContext } from '../testing/context.ts'
import { ChefConfig } from './config.ts'
import { chefDriver } from './index.ts'

const client = chefClient()

describeWithHosts('the Chef example', () => {
  test.skipIf(client === null)('is detected, valid, and goes all the way', async () => {
    const hosts = await upHosts(1)
    const { files, path, settings, env } = await hostExample('chef', hosts)
    const context = await testContext<ChefConfig>({ config: ChefConfig.parse(settings), files, path, env })
    try {
      if (!client!.real) {
        const archive = execFileSync('tar', ['-czf', '-', '-C', client!.directory, 'chef-client', 'lib'])
        const unpack = `base64 -d | tar -xzf - -C /opt/chef/bin`
        await hosts.exec(1, `mkdir -p /opt/chef/bin && echo ${archive.toString('base64')} | ${unpack}`)
      }
      expect((await chefDriver.detect(Object.keys(files), context.read)).stacks).toMatchObject([
        { path: 'web', with: { runList: ['recipe[web]'] } },
      ])
      expect(await chefDriver.dependencies(context.read, context.list, path, context.config)).toEqual([])
      expect(await chefDriver.validate(context)).toEqual([])
      const plan = await chefDriver.plan(context)
      expect(plan.changes.map(({ address }) => address)).toEqual([
        'web1/template[/etc/motd]',
        'web1/directory[/etc/greeting.d]',
        'web1/file[/etc/greeting.d/motto.conf]',
      ])
      expect((await chefDriver.apply(context, plan)).status).toBe('applied')
      expect(await hosts.exec(1, 'cat /etc/motd')).toContain('this is staging\n')
      expect(await hosts.exec(1, 'wc -l </etc/greeting.d/changes')).toBe('1\n')
      expect((await chefDriver.plan(await context.next())).changes).toEqual([])
    } finally {
      await context.remove()
      await hosts.close()
    }
  })
})
