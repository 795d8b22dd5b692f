import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { describeWithHosts, type TestHosts, upHosts } from '../../../test/hosts/hosts.ts'
import { findTool } from '../../../test/tools.ts'
import { type TestContext, testContext } from '../testing/context.ts'
import { PuppetConfig } from './config.ts'
import { puppetDriver } from './index.ts'

const SITE = `
file { '/etc/motd': content => "\${facts['networking']['hostname']}\\n" }
`

describeWithHosts('Puppet on several hosts over SSH', () => {
  let hosts: TestHosts
  let context: TestContext<PuppetConfig>
  beforeAll(async () => {
    hosts = await upHosts(3)
  })
  afterAll(() => hosts?.close())
  afterEach(() => context?.remove())

  const open = async (config: object = {}): Promise<void> => {
    context = await testContext<PuppetConfig>({
      config: PuppetConfig.parse({
        hosts: hosts.hosts.map(({ name, address }) => ({ name, address })),
        ssh: { identity: 'SSH_KEY', knownHosts: 'known_hosts', connectTimeout: 3 },
        ...config,
      }),
      files: { 'stack/site.pp': SITE, 'stack/known_hosts': await readFile(hosts.knownHosts) },
      env: { SSH_KEY: await readFile(hosts.identity, 'utf8') },
    })
  }
  const withPuppet = test.skipIf(findTool('puppet') === null)

  withPuppet(
    'each host is planned and applied as itself; one that is down hides no other',
    { timeout: 240_000 },
    async () => {
      await open()
      await hosts.cutOff(3)
      try {
        const plan = await puppetDriver.plan(context)
        expect(plan.changes.map(({ address }) => address)).toEqual(['host1/File[/etc/motd]', 'host2/File[/etc/motd]'])
        expect(plan.changes[0]!.attributes).toContainEqual(
          expect.objectContaining({ path: 'content', after: 'host1\n' }),
        )
        expect(plan.coverage.unchecked).toMatchObject([{ address: 'host3', unreachable: true }])
        expect(plan.findings).toContainEqual(expect.objectContaining({ code: 'target_unreachable' }))
        const result = await puppetDriver.apply(context, plan)
        expect(result).toMatchObject({ status: 'applied', resources: [{ status: 'done' }, { status: 'done' }] })
        expect(await hosts.exec(2, 'cat /etc/motd')).toBe('host2\n')
      } finally {
        await hosts.reconnect(3)
      }
    },
  )

  withPuppet('a run of the host own agent is respected: STATE_LOCKED names it', { timeout: 240_000 }, async () => {
    await open({ hosts: [hosts.hosts[0]], lockTimeout: 1 })
    await hosts.exec(1, 'echo other >/etc/motd; mkdir -p /var/cache/puppet/state')
    const lock = '/var/cache/puppet/state/agent_catalog_run.lock'
    // A process that looks like an agent: the lock of a process that is gone does not count.
    await hosts.exec(1, `setsid sleep 300 >/dev/null 2>&1 </dev/null & echo $! >${lock}`)
    const plan = await puppetDriver.plan(context)
    expect(plan.findings).toContainEqual(expect.objectContaining({ code: 'run_in_progress' }))
    await expect(puppetDriver.apply(context, plan)).rejects.toMatchObject({
      code: 'STATE_LOCKED',
      text: { why: expect.stringContaining('sleep 300') as string },
    })
    expect(await hosts.exec(1, 'cat /etc/motd')).toBe('other\n')

    await hosts.exec(1, `kill $(cat ${lock})`)
    const result = await puppetDriver.apply(context, plan)
    expect(result.status).toBe('applied')
    expect(await hosts.exec(1, `cat /etc/motd; ls ${lock} 2>&1 || true`)).toMatch(/^host1\n.*No such file/s)
    expect(await hosts.exec(1, 'ls -d /tmp/trueup.* 2>/dev/null | wc -l')).toBe('0\n')
  })
})
