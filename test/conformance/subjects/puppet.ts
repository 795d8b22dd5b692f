import { PuppetConfig } from '../../../src/drivers/puppet/config.ts'
import { testContext } from '../../../src/drivers/testing/context.ts'
import { hostsMissing, upHosts } from '../../hosts/hosts.ts'
import { systemOfHosts, versionOnHosts } from '../../hosts/root.ts'
import type { Subject, World } from '../subject.ts'
import { appearsOnHost, hostWorld, overSsh, SECRET } from './host-world.ts'

const version = versionOnHosts('puppet')

/** Puppet on a host of its own, over SSH. */
export const puppetSubject: Subject = {
  driver: 'puppet',
  against: `Puppet ${version ?? ''} on a host${systemOfHosts()} over SSH`,
  missing: version === null ? 'puppet is missing: "npm run tools"' : hostsMissing(),
  needs: 'puppet',
  exempt: { destroy: 'Puppet cannot remove what a manifest made' },
  open,
}

const SITE = `
file { '/srv/app':
  ensure => directory,
}
file { '/srv/app/app.conf':
  content => "port = 80\\n",
  mode    => '0644',
}
file { '/srv/app/run.sh':
  content => "#!/bin/sh\\n",
  mode    => '0755',
}
file { '/srv/app/secret':
  content => Sensitive('password = ${SECRET}'),
  mode    => '0600',
}
`

async function open(): Promise<World> {
  const hosts = await upHosts(1)
  const ssh = await overSsh(hosts)
  const base = await testContext<PuppetConfig>({
    config: PuppetConfig.parse(ssh.config),
    files: { 'stack/site.pp': SITE, ...ssh.files },
    env: ssh.env,
  })
  let port = 80
  const site = (more: string): Promise<void> =>
    base.write({ 'stack/site.pp': SITE.replace('port = 80', `port = ${port}`) + more })
  const file = (name: string): string => `web/File[/srv/app/${name}]`
  return {
    ...hostWorld(hosts, base, { file, tool: '[p]uppet' }),
    async edit() {
      port++
      await site('')
      return { address: file('app.conf'), attribute: 'content' }
    },
    breakSource: () => site("file { '/srv/app/x': ensure => }\n"),
    async breakApply() {
      await site(`
file { '/srv/app/new': content => 'new' }
exec { 'broken': command => '/bin/false', creates => '/srv/app/never' }
file { '/srv/app/after': content => 'after', require => Exec['broken'] }
`)
      return { done: [file('new')], failed: ['web/Exec[broken]'] }
    },
    async slowApply() {
      await site(`
exec { 'slow':
  command  => 'touch /srv/app/begun; sleep 60',
  creates  => '/srv/app/never',
  provider => shell,
}
`)
      return { begun: () => appearsOnHost(hosts, '/srv/app/begun', 120_000) }
    },
    async addUncheckable() {
      await site("exec { 'always': command => '/bin/true' }\n")
      return 'web/Exec[always]'
    },
  }
}
