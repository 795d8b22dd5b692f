import { PuppetConfig } from '../../src/drivers/puppet/config.ts'
import { puppetDriver } from '../../src/drivers/puppet/index.ts'
import { attack, hostile, type HostileStack } from './vehicles.ts'

const does = (vehicle: string, workspace: string): string => `system('${attack(vehicle, workspace)}')`

/**
 * Modules are Ruby that runs while facts are gathered and the catalog is compiled: facts, functions of both interfaces, types,
 * templates, backends of Hiera. Guards of `exec` run in a dry run too, and `generate` is there to run programs.
 */
export const PUPPET: HostileStack = hostile(puppetDriver, {
  name: 'puppet',
  needs: ['puppet'],
  files: {
    'stack/hiera.yaml': `version: 5
hierarchy:
  - name: evil
    lookup_key: app::backend
`,
  },
  placed: (workspace) => ({
    'stack/manifests/site.pp': `generate('/bin/sh', '-c', '${attack('puppet-generate', workspace)}; echo x')
notice(app::modern())
app_legacy()
notice(template('app/evil.erb'))
notice(lookup('app::anything', { default_value => 'x' }))
evil { 'x': }
exec { '/bin/true': unless => '/bin/sh -c "${attack('puppet-guard', workspace)}; false"' }
`,
    'stack/modules/app/templates/evil.erb': `<% ${does('puppet-template', workspace)} %>x`,
    'stack/modules/app/lib/facter/evil.rb': `Facter.add('evil') { setcode { ${does('puppet-fact', workspace)}; 'x' } }\n`,
    'stack/modules/app/lib/puppet/functions/app/modern.rb': `Puppet::Functions.create_function(:'app::modern') do
  def modern; ${does('puppet-function', workspace)}; 'x'; end
end
`,
    'stack/modules/app/lib/puppet/parser/functions/app_legacy.rb': `Puppet::Parser::Functions.newfunction(:app_legacy) do |_args|
  ${does('puppet-legacy-function', workspace)}
end
`,
    'stack/modules/app/lib/puppet/functions/app/backend.rb': `Puppet::Functions.create_function(:'app::backend') do
  dispatch :backend do
    param 'Variant[String, Numeric]', :key
    param 'Hash', :options
    param 'Puppet::LookupContext', :context
  end
  def backend(key, options, context)
    ${does('puppet-hiera', workspace)} if key.to_s == 'app::anything'
    context.not_found
  end
end
`,
    'stack/modules/app/lib/puppet/type/evil.rb': `${does('puppet-type', workspace)}
Puppet::Type.newtype(:evil) { newparam(:name) }
`,
  }),
  config: PuppetConfig.parse({ manifest: 'manifests/site.pp', lint: false }),
  vehicles: ['generate', 'function', 'legacy-function', 'template', 'hiera', 'fact', 'type', 'guard'].map(
    (each) => `puppet-${each}`,
  ),
  way: { wide: true },
})
