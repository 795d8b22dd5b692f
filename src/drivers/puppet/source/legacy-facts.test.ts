import { expect, test } from 'vitest'
import { legacyFacts } from './legacy-facts.ts'

const FILES: { [path: string]: string } = {
  'stack/manifests/site.pp': [
    "# $facts['osfamily'] was here",
    "if $facts['osfamily'] == 'Debian' { include apt }",
    'notice($::facts["ipaddress_eth0"])',
    "notice($facts['os']['family'], $facts['trueup']['inputs'], $facts['networking'])",
    "notice($facts['osfamily'])",
  ].join('\n'),
  'stack/modules/web/templates/a.erb': "<%= @facts['processorcount'] %> <%= scope['facts']['fqdn'] %>",
  'stack/modules/web/README.md': "$facts['osfamily']",
  'stack/hiera.yaml':
    "paths: ['os/%{facts.os.family}.yaml', 'old/%{facts.operatingsystem}.yaml', '%{::hostname}.yaml']",
}

test('names each legacy fact once a file, with its line, and no structured one', async () => {
  const source = {
    manifest: 'stack/manifests',
    modulepath: ['stack/modules'],
    hiera: 'stack/hiera.yaml',
    puppetfile: null,
  }
  const list = async (directory: string) => Object.keys(FILES).filter((file) => file.startsWith(`${directory}/`))
  const found = await legacyFacts(source, async (path) => Buffer.from(FILES[path]!), list)
  const named = found.map(({ path, line, message }) => [path, line, /"(\w+)"/.exec(message)?.[1]])
  expect(named).toEqual([
    ['stack/manifests/site.pp', 2, 'osfamily'],
    ['stack/manifests/site.pp', 3, 'ipaddress_eth0'],
    ['stack/modules/web/templates/a.erb', 1, 'processorcount'],
    ['stack/modules/web/templates/a.erb', 1, 'fqdn'],
    ['stack/hiera.yaml', 1, 'operatingsystem'],
    ['stack/hiera.yaml', 1, 'hostname'],
  ])
})
