import { readFile } from 'node:fs/promises'
import { PuppetConfig } from '../../../src/drivers/puppet/config.ts'
import { testContext } from '../../../src/drivers/testing/context.ts'
import { hostsMissing, upHosts } from '../../hosts/hosts.ts'
import { findTool } from '../../tools.ts'
import { processesNaming } from '../processes.ts'
import type { Subject, World } from '../subject.ts'
import { comesTrue } from '../wait.ts'

const SECRET = 'correct-horse-battery'
const puppet = findTool('puppet')

/** Puppet on a host of its own, over SSH. */
export const puppetSubject: Subject = {
  driver: 'puppet',
  against: `Puppet ${puppet?.version ?? ''} on a host over SSH`,
  missing: puppet === null ? 'puppet is missing: "npm run tools"' : hostsMissing(),
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
  const [host] = hosts.hosts
  const base = await testContext<PuppetConfig>({
    config: PuppetConfig.parse({
      hosts: [{ name: 'web', address: host!.address }],
      ssh: { identity: 'SSH_KEY', knownHosts: 'known_hosts', connectTimeout: 3 },
    }),
    files: { 'stack/site.pp': SITE, 'stack/known_hosts': await readFile(hosts.knownHosts) },
    env: { SSH_KEY: await readFile(hosts.identity, 'utf8') },
  })
  const site = (more: string): Promise<void> => base.write({ 'stack/site.pp': SITE + more })
  const file = (name: string): string => `web/File[/srv/app/${name}]`
  const onHost = (command: string): Promise<string> => hosts.exec(1, command)
  return {
    context: (options) => base.next(options as object),
    read: () => onHost('cd /srv && find . -exec stat -c "%n %a %U %F" {} + -type f -exec cat {} + | sort'),
    async edit() {
      await base.write({ 'stack/site.pp': SITE.replace('port = 80', 'port = 81') })
      return { address: file('app.conf'), attribute: 'content' }
    },
    async tamper() {
      await onHost('chmod 0600 /srv/app/app.conf')
      return { address: file('app.conf'), attribute: 'mode' }
    },
    async tamperIgnorable() {
      await onHost('echo by hand >>/srv/app/run.sh')
      return { address: file('run.sh'), attribute: 'content', read: () => onHost('cat /srv/app/run.sh') }
    },
    secret: SECRET,
    breakSource: () => site("file { '/srv/app/x': ensure => }\n"),
    killTarget: () => hosts.cutOff(1),
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
      const begun = (): Promise<boolean> =>
        onHost('test -e /srv/app/begun').then(
          () => true,
          () => false,
        )
      return { begun: () => comesTrue(begun, 'the slow command runs', 120_000) }
    },
    async processes() {
      const there = await onHost("pgrep -af '[s]leep 60|[p]uppet|[t]rueup' || true")
      return [...(await processesNaming(base.root)), ...there.split('\n').filter(Boolean)]
    },
    async addUncheckable() {
      await site("exec { 'always': command => '/bin/true' }\n")
      return 'web/Exec[always]'
    },
    async close() {
      await base.remove()
      await hosts.close()
    },
  }
}
