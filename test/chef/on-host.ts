import { execFileSync } from 'node:child_process'
import type { TestHosts } from '../hosts/hosts.ts'
import type { ChefClient } from './client.ts'

/**
 * Puts the client where packages of Chef have it, which is not on the PATH of hosts. A host sees nothing of this machine's
 * temporary directories, so the double is sent there; a real client is linked.
 */
export async function putClientOnHost(hosts: TestHosts, { directory, real }: ChefClient, host = 1): Promise<void> {
  if (real) {
    const link = `[ -e /opt/chef/bin/chef-client ] || ln -s '${directory}'/* /opt/chef/bin/`
    await hosts.exec(host, `mkdir -p /opt/chef/bin; ${link}`)
    return
  }
  const archive = execFileSync('tar', ['-czf', '-', '-C', directory, 'chef-client', 'lib']).toString('base64')
  await hosts.exec(host, `mkdir -p /opt/chef/bin && echo ${archive} | base64 -d | tar -xzf - -C /opt/chef/bin`)
}
