import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { describeWithHosts, upHosts } from '../../../test/hosts/hosts.ts'
import { TrueupConfig } from '../../domain/config/schema.ts'
import { type SourceFile, testContext } from '../testing/context.ts'
import { AnsibleConfig } from './config.ts'
import { ansibleDriver } from './index.ts'

// Each run of a playbook is many processes on each host: seconds, on a busy machine twenty.
vi.setConfig({ testTimeout: 300_000 })

const example = join(import.meta.dirname, '../../../examples/ansible')

async function exampleFiles(): Promise<{ [path: string]: SourceFile }> {
  const entries = await readdir(example, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const files = paths.map(async (path) => {
    const { mode } = await stat(path)
    return [path.slice(example.length + 1), { content: await readFile(path, 'utf8'), mode: mode & 0o777 }] as const
  })
  return Object.fromEntries(await Promise.all(files))
}

describeWithHosts('the example of Ansible', () => {
  it('is detected, valid, and goes all the way on three hosts', async () => {
    const files = await exampleFiles()
    const [stack] = TrueupConfig.parse(parse(await readFile(join(example, 'trueup.yaml'), 'utf8'))).stacks
    const world = await upHosts(3)
    const addresses = world.hosts.map(({ address }) => address)
    const context = await testContext({
      config: AnsibleConfig.parse(stack?.with),
      files,
      path: 'web',
      toolVersion: stack?.toolVersion,
      inputs: { web_addresses: { value: addresses, sensitive: false } },
      env: {
        WEB_SSH_KEY: await readFile(world.identity, 'utf8'),
        WEB_HOST_KEYS: await readFile(world.knownHosts, 'utf8'),
      },
    })
    try {
      expect((await ansibleDriver.detect(Object.keys(files), context.read)).stacks).toMatchObject([
        { path: 'web', with: { inventory: 'inventory' } },
      ])
      expect(await ansibleDriver.dependencies(context.read, context.list, 'web', context.config)).toEqual([])
      expect(await ansibleDriver.validate(context)).toMatchObject([{ severity: 'warning', code: 'check_mode_off' }])

      const plan = await ansibleDriver.plan(context)
      expect(plan.changes.filter(({ address }) => address.startsWith('web3/')).map(({ address }) => address)).toEqual([
        'web3/web : Make the directory: /etc/web/sites',
        'web3/web : Write the sites: /etc/web/sites/example.org.conf',
        'web3/web : Write the sites: /etc/web/sites/shop.example.org.conf',
        'web3/web : Reload',
      ])
      expect(plan.coverage.unchecked.map(({ address }) => address)).toContain('web1/web : Reload')
      expect(plan.outputs).toEqual({ addresses: { value: addresses, sensitive: false } })
      const result = await ansibleDriver.apply(context, plan)
      expect(result).toMatchObject({ status: 'applied', outputs: { addresses: { value: addresses } }, findings: [] })
      expect(await world.exec(2, 'cat /etc/web/sites/example.org.conf; ls /run/web-reloaded')).toContain('listen 80;')

      await world.exec(2, 'echo x > /etc/web/sites/old.conf')
      const drift = await ansibleDriver.plan(await context.next({ kind: 'drift' }))
      expect(drift.changes).toMatchObject([
        {
          address: 'web2/web : Remove sites that nobody wants any more: /etc/web/sites/old.conf',
          actions: ['delete'],
        },
      ])
    } finally {
      await context.remove()
      await world.close()
    }
  })
})
