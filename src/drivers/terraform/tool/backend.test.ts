import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nextRun } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openStack } = useStacks()
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'where the state lives', (tool) => {
    it('respects a backend of the code, with its settings and workspace', async () => {
      const context = await openStack(
        tool,
        {
          'stack/main.tf':
            'terraform {\n backend "local" {}\n}\nresource "terraform_data" "a" { input = terraform.workspace }',
          'shared/backend.tfvars': 'workspace_dir = "../states"\n',
        },
        {
          with: { workspace: 'blue', backendConfigFiles: ['../shared/backend.tfvars'] },
          stateBackend: { address: 'http://127.0.0.1:9/api/v1/state/s', username: 'run_x', password: 'never-used' },
        },
      )
      const result = await terraformDriver.apply(context, await terraformDriver.plan(context))
      expect(result.status).toBe('applied')
      const state = await readFile(join(context.workspace, 'states/blue/terraform.tfstate'), 'utf8')
      expect(JSON.parse(state).resources[0].instances[0].attributes.input.value).toBe('blue')
      expect(await exists(join(context.directory, 'trueup_backend_override.tf'))).toBe(false)
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    })

    it('does not lose a state that the code would put into the private workspace', async () => {
      const block = 'terraform {\n backend "local" {\n path = "here.tfstate"\n }\n}\n'
      const context = await openStack(tool, { 'stack/main.tf': `${block}resource "terraform_data" "a" { input = 1 }` })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      expect(await exists(join(context.directory, 'here.tfstate'))).toBe(false)
      expect(context.lines.join('\n')).toContain('Trueup keeps the state instead')
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    })

    it('respects a local state that outlives the run', async () => {
      const context = await openStack(tool, { 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' })
      const path = join(context.root, 'kept.tfstate')
      await context.write({ 'stack/backend.tf': `terraform {\n backend "local" {\n path = "${path}"\n }\n}\n` })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      expect(await exists(path)).toBe(true)
    })

    it('says what to do with a state that was committed', async () => {
      const instance = { schema_version: 0, attributes: { id: 'x' } }
      const provider = 'provider["terraform.io/builtin/terraform"]'
      const resource = { mode: 'managed', type: 'terraform_data', name: 'a', provider, instances: [instance] }
      const state = { version: 4, serial: 1, lineage: 'l', outputs: {}, resources: [resource] }
      const context = await openStack(tool, {
        'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }',
        'stack/terraform.tfstate': JSON.stringify(state),
      })
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
        next: expect.stringContaining('terraform state push'),
      })
    })

    it('keeps a state of its own where there is no server', async () => {
      const context = await openStack(tool, { 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      expect(await exists(join(context.cache, 'state/default.tfstate'))).toBe(true)
      expect(await exists(join(context.directory, 'terraform.tfstate'))).toBe(false)
    })

    it('says that the state backend is not to be reached', async () => {
      const context = await openStack(
        tool,
        { 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' },
        {
          phase: 'plan',
          stateBackend: {
            address: 'http://127.0.0.1:9/api/v1/state/s',
            username: 'run_x',
            password: 'secret-password',
          },
        },
      )
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
      expect(context.lines.join('\n')).not.toContain('secret-password')
    })
  })
}
