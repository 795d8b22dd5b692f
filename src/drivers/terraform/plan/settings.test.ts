import { execFile } from 'node:child_process'
import { access, readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, it } from 'vitest'
import { makeMirror, useProvider } from '../../../../test/terraform-provider/mirror.ts'
import { nextRun, type StackOptions } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openStack } = useStacks()
const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
})

const NO_TLS = { TF_DISABLE_PLUGIN_TLS: '1' }
const ONE_FILE = 'resource "hostfile_file" "a" {\n path = "/a"\n content = "1"\n}\n'

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'settings of a stack', (tool) => {
    const open = (files: { [path: string]: string }, options: StackOptions) => openStack(tool, files, options)

    it('takes providers from a directory of the repository (pluginDir)', async () => {
      const context = await open(
        { 'stack/main.tf': useProvider('/nowhere') + ONE_FILE },
        { with: { pluginDir: '../providers' }, env: NO_TLS },
      )
      await makeMirror(join(context.workspace, 'providers'))
      expect(await terraformDriver.dependencies(context.read, context.list, 'stack', context.config)).toEqual([
        'providers',
      ])
      expect((await terraformDriver.plan(context)).changes).toMatchObject([{ address: 'hostfile_file.a' }])
    })

    it('takes the mirror that a CLI configuration of the repository names (cliConfig)', async () => {
      const context = await open(
        {
          'stack/main.tf': useProvider('/nowhere') + ONE_FILE,
          'terraform.tfrc': 'provider_installation {\n filesystem_mirror {\n path = "../providers"\n }\n}\n',
        },
        { with: { cliConfig: '../terraform.tfrc' }, env: NO_TLS },
      )
      await makeMirror(join(context.workspace, 'providers'))
      expect((await terraformDriver.plan(context)).changes).toMatchObject([{ address: 'hostfile_file.a' }])
    })

    it('takes modules from a registry that a CLI configuration names', async () => {
      const context = await open(
        { 'stack/main.tf': 'module "a" {\n source = "modules.test/shop/network/local"\n version = "1.2.0"\n}\n' },
        { with: { cliConfig: '../terraform.tfrc' } },
      )
      await context.write({ 'published/main.tf': 'resource "terraform_data" "net" { input = "from the registry" }' })
      const archive = join(context.root, 'module.tar.gz')
      await promisify(execFile)('tar', ['-czf', archive, '-C', join(context.workspace, 'published'), '.'])
      const url = await registry(archive)
      await context.write({
        'terraform.tfrc': `host "modules.test" {\n services = { "modules.v1" = "${url}/v1/" }\n}\n`,
      })
      expect((await terraformDriver.plan(context)).changes).toMatchObject([{ address: 'module.a.terraform_data.net' }])
      // Pinned: the next run needs the registry no more.
      for (const server of servers.splice(0)) server.close()
      expect((await terraformDriver.plan(await nextRun(context))).changes).toHaveLength(1)
    })

    it('reads variable files in their order, then `variables`, then inputs', async () => {
      const files = {
        'stack/main.tf': ['a', 'b', 'c', 'd']
          .map((key) => `variable "${key}" {}\noutput "${key}" { value = var.${key} }\n`)
          .join(''),
        'common.tfvars': 'a = "common"\nb = "common"\nc = "common"\nd = "common"\n',
        'stack/production.tfvars.json': '{ "b": "production", "c": "production", "d": "production" }',
      }
      const settings = { varFiles: ['../common.tfvars', 'production.tfvars.json'], variables: { c: 'with', d: 'with' } }
      const context = await open(files, { with: settings, inputs: { d: { value: 'input', sensitive: false } } })
      const { outputs } = await terraformDriver.plan(context)
      const values = Object.entries(outputs).map(([key, { value }]) => [key, value])
      expect(Object.fromEntries(values)).toEqual({ a: 'common', b: 'production', c: 'with', d: 'input' })
      expect(await terraformDriver.dependencies(context.read, context.list, 'stack', context.config)).toEqual([
        'common.tfvars',
      ])
    })

    it('keeps states of different names apart (stateName), and workspaces', async () => {
      const context = await open(
        { 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' },
        { with: { stateName: 'blue', workspace: 'unused' } },
      )
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      expect(await readdir(join(context.cache, 'state'))).toEqual(['blue.tfstate'])
      const green = await nextRun(context, { config: { ...context.config, stateName: undefined, workspace: 'green' } })
      expect((await terraformDriver.plan(green)).changes).toHaveLength(1)
    })

    it('does no more at once than it may (parallelism)', async () => {
      const slow = Array.from(
        { length: 3 },
        (_, at) => `resource "hostfile_file" "f${at}" {\n path = "/${at}"\n content = "1"\n delay_ms = 300\n}\n`,
      )
      const context = await open(
        {},
        { with: { parallelism: 1 }, env: (root) => ({ TF_PLUGIN_MIRROR: join(root, 'mirror'), ...NO_TLS }) },
      )
      await makeMirror(join(context.root, 'mirror'))
      await context.write({
        'target/.keep': '',
        'stack/main.tf': useProvider(join(context.workspace, 'target')) + slow.join(''),
      })
      await access(join(context.workspace, 'target'))
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      const told = context.lines.filter((line) => /: (Creating\.\.\.|Creation complete)/.test(line))
      const kinds = told.map((line) => (line.includes('Creating') ? 'begun' : 'done'))
      expect(kinds).toEqual(['begun', 'done', 'begun', 'done', 'begun', 'done'])
    })

    /** A module registry (https://developer.hashicorp.com/terraform/internals/module-registry-protocol) with one module. */
    async function registry(archive: string): Promise<string> {
      const server = createServer((request, response) => {
        if (request.url?.endsWith('/versions')) {
          response.setHeader('content-type', 'application/json')
          response.end(JSON.stringify({ modules: [{ versions: [{ version: '1.2.0' }, { version: '2.0.0' }] }] }))
        } else if (request.url?.endsWith('/1.2.0/download')) {
          response.writeHead(204, { 'x-terraform-get': `http://${request.headers.host}/module.tar.gz` }).end()
        } else if (request.url?.startsWith('/module.tar.gz')) {
          void readFile(archive).then((body) => response.end(body))
        } else response.writeHead(404).end()
      })
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }
  })
}
