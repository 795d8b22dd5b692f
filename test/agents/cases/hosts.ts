import { join } from 'node:path'
import { CHEF_MISSING, chefClient } from '../../chef/client.ts'
import { makeMirror, providerEnvironment, useProvider } from '../../terraform-provider/mirror.ts'
import { findTool } from '../../tools.ts'
import { type Case, onFile, without } from './case.ts'

const terraform = findTool('terraform') ? 'terraform' : 'tofu'

/** Drivers that work on the machine they run on. */
export const HOST_CASES: readonly Case[] = [
  {
    driver: 'ansible',
    heavy: true,
    missing: without('ansible-playbook'),
    open: async (ground) =>
      onFile('ansible', ground, {
        settings: { with: { inventory: 'hosts.ini' } },
        stack: (to) => ({
          'hosts.ini': 'here ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n',
          'ansible.cfg': '[defaults]\nroles_path = ../roles\n',
          'site.yml': `- hosts: all\n  gather_facts: false\n  vars: { to: ${JSON.stringify(to)} }\n  roles: [app]\n`,
        }),
        shared: (release) => ({
          'roles/app/tasks/main.yml':
            '- name: Say the release\n  template: { src: app.j2, dest: "{{ to }}", mode: "0644" }\n',
          'roles/app/templates/app.j2': `${release}\n`,
        }),
      }),
  },
  {
    driver: 'chef',
    heavy: true,
    missing: chefClient() ? null : CHEF_MISSING,
    open: async (ground) =>
      onFile('chef', ground, {
        settings: {
          with: {
            runList: ['recipe[app]'],
            cookbooks: ['../cookbooks'],
            attributesFile: 'node.json',
            variables: ['CHEF_LICENSE'],
          },
          variables: { CHEF_LICENSE: process.env['CHEF_LICENSE'] ?? 'accept-no-persist' },
        },
        stack: (to) => ({ 'node.json': JSON.stringify({ to }) }),
        shared: (release) => ({
          'cookbooks/app/metadata.rb': "name 'app'\nversion '0.1.0'\n",
          'cookbooks/app/recipes/default.rb': `file node['to'] do\n  content "${release}\\n"\nend\n`,
        }),
      }),
  },
  {
    driver: 'puppet',
    heavy: true,
    missing: without('puppet'),
    open: async (ground) =>
      onFile('puppet', ground, {
        settings: { with: { modulepath: ['../modules'] } },
        stack: (to) => ({ 'manifests/site.pp': `class { 'app': to => '${to}' }\n` }),
        shared: (release) => ({
          'modules/app/manifests/init.pp': `class app(String $to) {\n  file { $to: content => epp('app/app.epp') }\n}\n`,
          'modules/app/templates/app.epp': `${release}\n`,
        }),
      }),
  },
  {
    driver: 'terraform',
    missing: without(terraform),
    async open(ground) {
      await makeMirror(ground.mirror)
      return onFile('terraform', ground, {
        settings: { with: { tool: terraform }, variables: providerEnvironment(ground.mirror) },
        stack: (to) => ({
          'main.tf': `${useProvider(join(to, '..'))}module "app" {\n  source = "../modules/app"\n}\n`,
        }),
        shared: (release) => ({
          'modules/app/main.tf': `${useProvider('').split('provider "')[0]}resource "hostfile_file" "app" {
  path    = "/terraform"
  content = "${release}\\n"
}
`,
        }),
      })
    },
  },
]
