import { ChefConfig } from '../../src/drivers/chef/config.ts'
import { chefDriver } from '../../src/drivers/chef/index.ts'
import { KubernetesConfig } from '../../src/drivers/kubernetes/config.ts'
import { kubernetesDriver } from '../../src/drivers/kubernetes/index.ts'
import { chefClient } from '../chef/client.ts'
import { PUPPET } from './puppet-stack.ts'
import { VOUCHED_COMMAND } from './stacks.ts'
import { attack, hostile, type HostileStack } from './vehicles.ts'

const chef = chefClient()
const client = chef === null ? [] : [chef.directory]

/** Recipes are Ruby that runs while Chef compiles, and guards run in why-run mode too. */
const chefStack = hostile(chefDriver, {
  name: 'chef',
  needs: ['ruby'],
  path: client,
  files: { 'stack/cookbooks/app/metadata.rb': "name 'app'\nversion '0.1.0'\n" },
  placed: (workspace) => ({
    'stack/cookbooks/app/recipes/default.rb': `system('${attack('chef-compile', workspace)}')
file '${workspace}/new' do
  content 'x'
  not_if '${attack('chef-guard', workspace)}; false'
end
`,
  }),
  config: ChefConfig.parse({ runList: ['recipe[app]'] }),
  vehicles: ['chef-compile', 'chef-guard'],
  way: { wide: true },
})

/** A kubeconfig of the repository names a program that gives the token. */
const kubernetes = hostile(kubernetesDriver, {
  name: 'kubernetes',
  files: {
    'stack/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: b }\n',
    'stack/kube.conf': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
      users: [
        {
          name: 'u',
          user: {
            exec: {
              apiVersion: 'client.authentication.k8s.io/v1',
              command: '/bin/sh',
              args: ['-c', attack('kubernetes-credential')],
              interactiveMode: 'Never',
            },
          },
        },
      ],
    }),
  },
  config: KubernetesConfig.parse({ kubeconfig: 'kube.conf', exclude: ['kube.conf'] }),
  vehicles: ['kubernetes-credential'],
  way: { wide: true },
})

/** Refused for changes that nobody vouches for: what is planned of them are trusted plans, which see the machine. */
export const VOUCHED: readonly HostileStack[] = [
  VOUCHED_COMMAND,
  kubernetes,
  PUPPET,
  ...(chef === null ? [] : [chefStack]),
]
