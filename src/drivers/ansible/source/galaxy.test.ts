import { expect, test } from 'vitest'
import { describeWithTool } from '../../../../test/tools.ts'
import { testContext } from '../../testing/context.ts'
import { AnsibleConfig } from '../config.ts'
import { ansibleDriver } from '../index.ts'
import { startGalaxy } from '../testing/galaxy-server.ts'

describeWithTool('ansible-galaxy', 'collections that requirements name', () => {
  test('come from the Galaxy of ansible.cfg once, and are there without it afterwards', async () => {
    const galaxy = await startGalaxy()
    const context = await testContext<AnsibleConfig>({
      config: AnsibleConfig.parse({ inventory: 'hosts.ini' }),
      files: {
        'stack/ansible.cfg': `[galaxy]\nserver_list = own\n[galaxy_server.own]\nurl = ${galaxy.url}\n`,
        'stack/requirements.yml': 'collections: [{ name: acme.tools, version: 1.2.0 }]\n',
        'stack/site.yml': '- hosts: all\n  gather_facts: false\n  roles: [acme.tools.hello]\n',
        'stack/hosts.ini': 'web ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n',
      },
      env: { PATH: process.env.PATH ?? '' },
    })
    try {
      const address = 'web/acme.tools.hello : copy: /nonexistent/hello'
      expect((await ansibleDriver.plan(context)).changes).toMatchObject([{ address }])
      expect(galaxy.requests).toContain('/artifacts/acme-tools-1.2.0.tar.gz')
      await galaxy.close()
      expect((await ansibleDriver.plan(await context.next())).changes).toMatchObject([{ address }])
      await context.write({ 'stack/requirements.yml': 'collections: [{ name: acme.tools, version: 1.3.0 }]\n' })
      await expect(ansibleDriver.plan(await context.next())).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        text: {
          why: expect.stringMatching(/^Unknown error when attempting to call Galaxy/) as string,
          next: expect.stringContaining('commit what is required') as string,
        },
      })
    } finally {
      await galaxy.close()
      await context.remove()
    }
  })
})
