import { readFile } from 'node:fs/promises'
import type { TestContext } from '../../../src/drivers/testing/context.ts'
import type { TestHosts } from '../../hosts/hosts.ts'
import { processesNaming } from '../processes.ts'
import type { World } from '../subject.ts'
import { comesTrue } from '../wait.ts'

/** Stands in every source of these worlds, and in `/srv/app/secret` after an apply. */
export const SECRET = 'correct-horse-battery'

/** `ssh:` of a stack with the host `web`, and what it needs in the workspace and the environment. */
export async function overSsh({ hosts, knownHosts, identity }: TestHosts) {
  return {
    config: {
      hosts: [{ name: 'web', address: hosts[0]!.address }],
      ssh: { identity: 'SSH_KEY', knownHosts: 'known_hosts', connectTimeout: 3 },
    },
    files: { 'stack/known_hosts': await readFile(knownHosts) },
    env: { SSH_KEY: await readFile(identity, 'utf8') },
  }
}

/**
 * One host with `/srv/app`: `app.conf`, `run.sh` and `secret`, which the driver's own words describe. `file` is the address
 * of one of them, `tool` what its processes are called (an expression of pgrep).
 */
export function hostWorld<Config>(
  hosts: TestHosts,
  base: TestContext<Config>,
  { file, tool }: { file: (name: string) => string; tool: string },
) {
  const onHost = (command: string): Promise<string> => hosts.exec(1, command)
  return {
    context: (options) => base.next(options as object),
    read: () => onHost('cd /srv && find . -exec stat -c "%n %a %U %F" {} + -type f -exec cat {} + | sort'),
    async tamper() {
      await onHost('chmod 0600 /srv/app/app.conf')
      return { address: file('app.conf'), attribute: 'mode' }
    },
    async tamperIgnorable() {
      await onHost('echo by hand >>/srv/app/run.sh')
      return { address: file('run.sh'), attribute: 'content', read: () => onHost('cat /srv/app/run.sh') }
    },
    secret: SECRET,
    killTarget: () => hosts.cutOff(1),
    async processes() {
      const there = await onHost(`pgrep -af '[s]leep 60|${tool}|[t]rueup' || true`)
      return [...(await processesNaming(base.root)), ...there.split('\n').filter(Boolean)]
    },
    async close() {
      await base.remove()
      await hosts.close()
    },
  } satisfies Partial<World>
}

/** Resolves when there is such a file on the first host. */
export async function appearsOnHost(hosts: TestHosts, path: string, timeoutMs?: number): Promise<void> {
  const isThere = (): Promise<boolean> =>
    hosts.exec(1, `test -e ${path}`).then(
      () => true,
      () => false,
    )
  await comesTrue(isThere, `${path} appears on the host`, timeoutMs)
}
