import { expect, test } from 'vitest'
import { chefClient } from '../../../test/chef/client.ts'
import { putClientOnHost } from '../../../test/chef/on-host.ts'
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
    const context = await testContext<ChefConfig>({
      config: ChefConfig.parse({ ...settings, variables: ['CHEF_LICENSE'] }),
      files,
      path,
      env: { ...env, CHEF_LICENSE: process.env.CHEF_LICENSE ?? 'accept-no-persist' },
    })
    try {
      await putClientOnHost(hosts, client!)
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
