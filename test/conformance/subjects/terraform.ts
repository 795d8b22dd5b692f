import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tree } from '../../../src/drivers/files/testing/stack.ts'
import type { TestContext } from '../../../src/drivers/testing/context.ts'
import { nextRun, openHostStack } from '../../terraform-provider/stack.ts'
import { findTool, requireTool } from '../../tools.ts'
import type { ContextOptions, Subject, World } from '../subject.ts'
import { fileAppears } from '../wait.ts'

const SECRET = 'correct-horse-battery'

const MOTD = `
resource "hostfile_file" "motd" {
  path    = "/motd"
  content = "hello\\n"
  mode    = "0644"
}
`
const app = (mode: string): string => `
resource "hostfile_file" "app" {
  path    = "/app.conf"
  content = "port = 80\\n"
  mode    = "${mode}"
  secret  = "${SECRET}"
}
`
const SLOW = `
resource "hostfile_file" "slow" {
  path     = "/slow"
  content  = "a minute"
  delay_ms = 60000
}
resource "hostfile_file" "after" {
  path    = "/after"
  content = hostfile_file.slow.id
}
`
const HALF = `
resource "hostfile_file" "early" {
  path    = "/early"
  content = "1"
}
resource "hostfile_file" "broken" {
  path    = "/broken"
  content = hostfile_file.early.id
  fail    = "create"
}
resource "hostfile_file" "late" {
  path    = "/late"
  content = hostfile_file.broken.id
}
`
const PROVISIONED = `
resource "hostfile_file" "provisioned" {
  path    = "/provisioned"
  content = "1"
  provisioner "local-exec" {
    command = "true"
  }
}
`

/** The driver with one of its two tools, against files that the provider in `test/terraform-provider` makes. */
export function terraformSubject(name: 'terraform' | 'tofu'): Subject {
  const tool = findTool(name)
  const title = name === 'tofu' ? 'OpenTofu' : 'Terraform'
  return {
    driver: 'terraform',
    against: `${title}${tool === null ? '' : ` ${tool.version}`} with a provider of our own`,
    missing: tool === null ? `${name} is missing, "npm run tools" installs OpenTofu` : null,
    needs: name,
    exempt: {},
    open: () => open(name),
  }
}

async function open(name: 'terraform' | 'tofu'): Promise<World> {
  const { context, target, code } = await openHostStack(requireTool(name), MOTD + app('0600'))
  let mode = 0o600
  const stack = (more = ''): Promise<void> => code(MOTD + app(`0${mode.toString(8)}`) + more)
  const at = (path: string): string => join(target, path)
  return {
    context: async ({ destroy, ignore, kind }: ContextOptions = {}) =>
      (await nextRun(context, {
        destroy: destroy ?? false,
        ignore: ignore ?? [],
        kind,
      })) as unknown as TestContext<unknown>,
    read: () => tree(target),
    async edit() {
      mode += 0o10
      await stack()
      return { address: 'hostfile_file.app', attribute: 'mode' }
    },
    async tamper() {
      await chmod(at('motd'), 0o666)
      return { address: 'hostfile_file.motd', attribute: 'mode' }
    },
    async tamperIgnorable() {
      const file = at('app.conf.secret')
      await writeFile(file, 'written by hand')
      return { address: 'hostfile_file.app', attribute: 'secret', read: () => readFile(file, 'utf8') }
    },
    secret: SECRET,
    breakSource: () => code('resource "hostfile_file" "motd" {'),
    killTarget: () => rm(target, { recursive: true }),
    async breakApply() {
      await stack(HALF)
      return { done: ['hostfile_file.early'], failed: ['hostfile_file.broken'] }
    },
    async slowApply() {
      await stack(SLOW)
      return { begun: () => fileAppears(at('slow')) }
    },
    async addUncheckable() {
      await stack(PROVISIONED)
      return 'hostfile_file.provisioned (local-exec)'
    },
    close: () => context.remove(),
  }
}
