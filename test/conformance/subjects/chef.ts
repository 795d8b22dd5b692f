import { ChefConfig } from '../../../src/drivers/chef/config.ts'
import { testContext } from '../../../src/drivers/testing/context.ts'
import { CHEF_MISSING, chefClient } from '../../chef/client.ts'
import { putClientOnHost } from '../../chef/on-host.ts'
import { hostsMissing, upHosts } from '../../hosts/hosts.ts'
import type { Subject, World } from '../subject.ts'
import { appearsOnHost, hostWorld, overSsh, SECRET } from './host-world.ts'

const client = chefClient()

/** Chef on a host of its own, over SSH: a real client where this machine has one, which the host then has too. */
export const chefSubject: Subject = {
  driver: 'chef',
  against: `${client?.against ?? 'a double of Chef Infra Client 16.18'} on a host over SSH`,
  missing: client === null ? CHEF_MISSING : hostsMissing(),
  needs: 'chef',
  exempt: { destroy: 'Chef cannot remove what a recipe made' },
  open,
}

const RECIPE = `
directory '/srv/app' do
  mode '0755'
end
file '/srv/app/app.conf' do
  content "port = 80\\n"
  mode '0644'
end
file '/srv/app/run.sh' do
  content "#!/bin/sh\\n"
  mode '0755'
end
file '/srv/app/secret' do
  content 'password = ${SECRET}'
  mode '0600'
  sensitive true
end
`

async function open(): Promise<World> {
  const hosts = await upHosts(1)
  await putClientOnHost(hosts, client!)
  const ssh = await overSsh(hosts)
  const base = await testContext<ChefConfig>({
    config: ChefConfig.parse({ runList: ['recipe[app]'], ...ssh.config, variables: ['CHEF_LICENSE'] }),
    files: {
      'stack/cookbooks/app/metadata.rb': "name 'app'\nversion '0.1.0'\n",
      'stack/cookbooks/app/recipes/default.rb': RECIPE,
      ...ssh.files,
    },
    env: { ...ssh.env, CHEF_LICENSE: process.env.CHEF_LICENSE ?? 'accept-no-persist' },
  })
  let port = 80
  const recipe = (more: string): Promise<void> =>
    base.write({
      'stack/cookbooks/app/recipes/default.rb': RECIPE.replace('port = 80', `port = ${port}`) + more,
    })
  const file = (name: string): string => `web/file[/srv/app/${name}]`
  return {
    ...hostWorld(hosts, base, { file, tool: '[c]hef-client|[c]inc-client' }),
    async edit() {
      port++
      await recipe('')
      return { address: file('app.conf'), attribute: 'content' }
    },
    breakSource: () => recipe("file '/srv/app/x' do\n"),
    async breakApply() {
      await recipe(`
file '/srv/app/new' do
  content 'new'
end
execute 'broken' do
  command '/bin/false'
  creates '/srv/app/never'
end
file '/srv/app/after' do
  content 'after'
end
`)
      return { done: [file('new')], failed: ['web/execute[broken]'] }
    },
    async slowApply() {
      await recipe(`
execute 'slow' do
  command 'touch /srv/app/begun; sleep 60'
  creates '/srv/app/never'
end
`)
      return { begun: () => appearsOnHost(hosts, '/srv/app/begun', 60_000) }
    },
    async addUncheckable() {
      await recipe("execute 'always' do\n  command '/bin/true'\nend\n")
      return 'web/execute[always]'
    },
  }
}
