import { ansibleStack, playOf } from '../../../src/drivers/ansible/testing/stack.ts'
import { hostsMissing, upHosts } from '../../hosts/hosts.ts'
import { systemOfHosts } from '../../hosts/root.ts'
import { findTool } from '../../tools.ts'
import type { Subject, World } from '../subject.ts'
import { appearsOnHost, SECRET } from './host-world.ts'

const VAULT_PASSWORD = 'open-sesame-vault'
/** `db_password: correct-horse-battery`, encrypted by ansible-vault with that password. */
const VAULTED = `$ANSIBLE_VAULT;1.1;AES256
61303062653338393030363334636335613834303662316631653364616136316531396637623161
3431616363646261346339643434373734323963346665620a303263336333343734366461376435
63373733643963373934633834363330333735643035316561376537636363653136393863633738
6630663032396239360a393230666439303238663261333436363061623962613562396232316431
36613031643662396631656631343263633264393735633238333363343538353733653733356637
3332666239346663633638373666343439306130316436363165
`

/** Few tasks on few hosts: a copy costs a second of processor time on each. */
const TASKS = `
- name: Write the configuration
  copy: { dest: /etc/conformance.conf, content: "port = {{ port_number | default(80) }}\\n", mode: "0644" }
- name: Write the other one
  copy: { dest: /etc/conformance-other.conf, content: "other\\n", mode: "0644" }
  when: inventory_hostname == 'host1'
- name: Write the password
  copy: { dest: /etc/conformance-secret.conf, content: "password = {{ db_password }}\\n", mode: "0600" }
  when: inventory_hostname == 'host3'
`

const tool = findTool('ansible-playbook')

export const ansibleSubject: Subject = {
  driver: 'ansible',
  against: `ansible-core ${tool?.version ?? ''} on three hosts${systemOfHosts()} over SSH`,
  missing: tool === null ? 'ansible-playbook is missing, "npm run tools" installs it' : hostsMissing(),
  needs: 'ansible-playbook',
  exempt: { destroy: 'a playbook says what is to be, and not what it made' },
  open,
}

async function open(): Promise<World> {
  const hosts = await upHosts(3)
  const base = await ansibleStack(hosts, {
    with: { vaultPassword: 'VAULT_PASSWORD' },
    env: { VAULT_PASSWORD },
    files: { 'stack/site.yml': playOf(TASKS), 'stack/group_vars/all.yml': VAULTED },
  })
  let port = 80
  const tasks = (more: string) => base.write({ 'stack/site.yml': playOf(`${TASKS.trim()}\n${more.trim()}`) })
  return {
    context: (options) => base.next(options),
    read: () => Promise.all(hosts.hosts.map((_host, at) => hosts.exec(at + 1, READ))),
    async edit() {
      await base.write({ 'stack/host_vars/host1.yml': `port_number: ${++port}\n` })
      return { address: 'host1/Write the configuration: /etc/conformance.conf', attribute: 'content' }
    },
    async tamper() {
      await hosts.exec(2, "sed -i 's/80$/8080/' /etc/conformance.conf")
      return { address: 'host2/Write the configuration: /etc/conformance.conf', attribute: 'content' }
    },
    async tamperIgnorable() {
      await hosts.exec(1, 'chmod 600 /etc/conformance-other.conf')
      const read = () => hosts.exec(1, 'stat -c %a /etc/conformance-other.conf')
      return { address: 'host1/Write the other one: /etc/conformance-other.conf', attribute: 'mode', read }
    },
    secret: SECRET,
    breakSource: () => base.write({ 'stack/site.yml': '- hosts: web\n  tasks:\n    - copy: { dest: /etc/x\n' }),
    async killTarget() {
      await Promise.all(hosts.hosts.map((_host, at) => hosts.crash(at + 1)))
    },
    async breakApply() {
      await tasks(`
- name: Write first
  copy: { dest: /etc/conformance-first.conf, content: "first\\n" }
  when: inventory_hostname != 'host3'
- name: Fail
  command: ls /nowhere
  when: inventory_hostname == 'host2'
- name: Write last
  copy: { dest: /etc/conformance-last.conf, content: "last\\n" }
  when: inventory_hostname == 'host2'
`)
      const first = (host: string) => `${host}/Write first: /etc/conformance-first.conf`
      return { done: [first('host1'), first('host2')], failed: ['host2/Fail'] }
    },
    async slowApply() {
      await tasks('- name: Take long\n  shell: touch /etc/conformance-begun; sleep 60')
      return { begun: () => appearsOnHost(hosts, '/etc/conformance-begun') }
    },
    async addUncheckable() {
      await tasks('- name: Migrate\n  command: touch /etc/conformance-migrated')
      return 'host3/Migrate'
    },
    async close() {
      await base.remove()
      await hosts.close()
    },
  }
}

/** Names, modes and contents. */
const READ = 'for file in /etc/conformance*; do stat -c "%n %a %U" "$file" && cat "$file"; done 2>/dev/null || true'
