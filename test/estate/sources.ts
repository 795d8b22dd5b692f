import { useProvider } from '../terraform-provider/mirror.ts'

/** Where the world of the test stands. */
export interface Places {
  /** Directory below which Terraform's files are made. */
  records: string
  /** Filesystem mirror with the test provider. */
  mirror: string
  kubeconfig: string
  /** Addresses of the hosts. */
  hosts: readonly string[]
}

/** What the estate is to be: `release` reaches a file, the hosts and the cluster through one output of one stack. */
export interface Wish {
  release: string
  motd: string
}

/** One repository, four tools: a network by Terraform feeds hosts kept by Puppet and Ansible and a manifest of Kubernetes. */
export function estate(places: Places, { release, motd }: Wish): { [path: string]: string } {
  return {
    'trueup.yaml': `version: 1
environments:
  production:
    tier: production
    approvals: { required: 1 }
    drift: { mode: enforce, interval: 1h }
stacks:
  - path: network
    driver: terraform
    variables: { TF_PLUGIN_MIRROR: ${places.mirror}, TF_DISABLE_PLUGIN_TLS: "1" }
  - path: hosts/base
    driver: puppet
    inputs: { web_hosts: network.web_hosts }
    with:
      hosts: [{ address: "\${inputs.web_hosts}" }]
      ssh: { identity: SSH_KEY, knownHostsVariable: SSH_KNOWN_HOSTS }
  - path: hosts/web
    driver: ansible
    needs: [hosts/base]
    inputs: { web_hosts: network.web_hosts, release: network.release }
    with:
      inventory: inventory.py
      user: root
      privateKey: SSH_KEY
      knownHostsVariable: SSH_KNOWN_HOSTS
  - path: apps/site
    driver: kubernetes
    inputs: { web_hosts: network.web_hosts, release: network.release }
    with: { kubeconfig: ${places.kubeconfig}, namespace: site, createNamespace: true }
`,
    'network/main.tf': `${useProvider(places.records)}
locals {
  release   = ${JSON.stringify(release)}
  web_hosts = ${JSON.stringify(places.hosts)}
}
resource "hostfile_file" "record" {
  path    = "/zone"
  content = join("\\n", [for host in local.web_hosts : "web A \${host}"])
}
resource "hostfile_file" "release" {
  path    = "/release"
  content = local.release
}
output "web_hosts" { value = local.web_hosts }
output "release" { value = local.release }
`,
    'hosts/base/manifests/site.pp': `file { '/etc/motd':
  ensure  => file,
  mode    => '0644',
  content => "${motd}\\n",
}
`,
    // An inventory of what another tool made: the addresses are an output of the network.
    'hosts/web/inventory.py': `#!/usr/bin/env python3
import json, os
hosts = json.loads(os.environ["TRUEUP_INPUT_WEB_HOSTS"])
print(json.dumps({
    "web": {"hosts": hosts, "vars": {"ansible_python_interpreter": "/usr/bin/python3"}},
    "_meta": {"hostvars": {}},
}))
`,
    'hosts/web/site.yml': `- hosts: web
  gather_facts: false
  tasks:
    - name: Directory of the site
      ansible.builtin.file: { path: /srv/site, state: directory, mode: "0755" }
    - name: Release of the site
      ansible.builtin.copy:
        dest: /srv/site/release
        mode: "0644"
        content: "{{ release }}\\n"
`,
    'apps/site/site.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: site }
data:
  release: "\${inputs.release}"
  hosts: "\${inputs.web_hosts}"
---
apiVersion: v1
kind: Service
metadata: { name: site }
spec:
  selector: { app: site }
  ports: [{ name: http, port: 80, protocol: TCP }]
`,
  }
}
