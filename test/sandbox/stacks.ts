import { AnsibleConfig } from '../../src/drivers/ansible/config.ts'
import { ansibleDriver } from '../../src/drivers/ansible/index.ts'
import { CommandConfig } from '../../src/drivers/command/config.ts'
import { commandDriver } from '../../src/drivers/command/index.ts'
import { TerraformConfig } from '../../src/drivers/terraform/config.ts'
import { terraformDriver } from '../../src/drivers/terraform/index.ts'
import { attack, hostile, type HostileStack, script } from './vehicles.ts'

/** Scripts, checks of the source, hooks and filters of Git. */
const command = (name: string, wide: boolean): HostileStack => {
  const vehicle = (what: string): string => `${name}-${what}`
  return hostile(commandDriver, {
    name,
    files: {
      'stack/.hooks/post-commit': script(`cd "$HERE" && ${attack(vehicle('git-hook'))}`),
      'stack/run.sh': script(`export HERE="$PWD" GIT_CONFIG_GLOBAL=/dev/null
${attack(vehicle('script'))}
git init -q . && git config user.name a && git config user.email a@example.org && git config core.hooksPath "$HERE/.hooks"
git config filter.loot.clean "sh -c 'cd $HERE && ${attack(vehicle('git-filter'))}; cat'"
echo '*.txt filter=loot' > .gitattributes; echo x > a.txt
git add a.txt && git commit -q -m x
git -c core.fsmonitor="sh -c 'cd $HERE && ${attack(vehicle('git-fsmonitor'))}'" status > /dev/null
echo changed; exit 2`),
    },
    config: CommandConfig.parse({ plan: './run.sh', apply: 'true', validate: attack(vehicle('validate')) }),
    vehicles: ['script', 'validate', 'git-hook', 'git-filter', 'git-fsmonitor'].map(vehicle),
    way: { verbs: ['validate', 'plan'], wide },
  })
}

const executable = hostile(commandDriver, {
  name: 'command-protocol',
  files: { 'stack/driver.sh': script(`${attack('driver-protocol')}; echo nonsense`) },
  config: CommandConfig.parse({ executable: './driver.sh' }),
  vehicles: ['driver-protocol'],
})

const MIRRORED = `mirror/example.org/evil/evil/1.0.0/linux_${process.arch === 'arm64' ? 'arm64' : 'amd64'}/terraform-provider-evil_v1.0.0`

/** A provider that the repository brings is a program that is started to ask for its schema. */
const terraform = hostile(terraformDriver, {
  name: 'terraform',
  needs: ['tofu'],
  files: {
    'stack/main.tf': `terraform {
  required_providers {
    evil = { source = "example.org/evil/evil" }
  }
}
resource "evil_thing" "x" {}
`,
  },
  placed: (workspace) => ({
    [MIRRORED]: script(attack('terraform-provider', workspace)),
    'tofu.rc': `provider_installation {
  filesystem_mirror {
    path = "${workspace}/mirror"
  }
}
`,
  }),
  config: TerraformConfig.parse({ tool: 'tofu', cliConfig: '../tofu.rc' }),
  vehicles: ['terraform-provider'],
})

const lookupPlugin = `import subprocess
from ansible.plugins.lookup import LookupBase
class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        subprocess.call(terms[0], shell=True)
        return ['x']
`
const filterPlugin = `import subprocess
class FilterModule(object):
    def filters(self):
        return {'evil': lambda words: subprocess.call(words, shell=True)}
`
const actionPlugin = `import subprocess
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        subprocess.call(self._task.args['words'], shell=True)
        return {'changed': False}
`
const module = `#!/usr/bin/python3
import subprocess
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={'words': {'type': 'str'}}, supports_check_mode=True)
subprocess.call(module.params['words'], shell=True)
module.exit_json(changed=False)
`
/** Lookups, plugins and modules of the repository, and its inventory, which is a program. */
const ansible = hostile(ansibleDriver, {
  name: 'ansible',
  needs: ['ansible-playbook'],
  files: {
    'stack/hosts.sh': script(
      `cd "\${0%/*}" && ${attack('ansible-inventory')}; echo '{"all":{"hosts":["here"]},"_meta":{"hostvars":{"here":{"ansible_connection":"local","ansible_python_interpreter":"/usr/bin/python3"}}}}'`,
    ),
    'stack/lookup_plugins/evil.py': lookupPlugin,
    'stack/filter_plugins/evil.py': filterPlugin,
    'stack/action_plugins/evil_action.py': actionPlugin,
    'stack/library/evil_action.py': module,
    'stack/library/evil_module.py': module,
    'stack/site.yml': `- hosts: all
  gather_facts: false
  tasks:
    - debug: msg="{{ lookup('pipe', 'cd ' + playbook_dir + ' && ${attack('ansible-pipe')}') }}"
    - debug: msg="{{ lookup('evil', 'cd ' + playbook_dir + ' && ${attack('ansible-lookup')}') }}"
    - debug: msg="{{ ('cd ' + playbook_dir + ' && ${attack('ansible-filter')}') | evil }}"
    - evil_action: { words: "cd {{ playbook_dir }} && ${attack('ansible-action')}" }
    - evil_module: { words: "cd {{ playbook_dir }} && ${attack('ansible-module')}" }
`,
  },
  config: AnsibleConfig.parse({ inventory: 'hosts.sh' }),
  vehicles: ['inventory', 'pipe', 'lookup', 'filter', 'action', 'module'].map((each) => `ansible-${each}`),
})

export const CONTAINED: readonly HostileStack[] = [command('command', false), executable, terraform, ansible]
export const VOUCHED_COMMAND = command('vouched', true)
