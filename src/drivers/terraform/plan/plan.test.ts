import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import semver from 'semver'
import { expect, it } from 'vitest'
import { nextRun, type StackOptions } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openStack } = useStacks()

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'planning and applying', (tool) => {
    const open = (files: { [path: string]: string }, options?: StackOptions) => openStack(tool, files, options)

    it('creates, then has nothing to do, then updates and replaces', async () => {
      const context = await open({
        'stack/main.tf': `
          variable "size" { default = 1 }
          resource "terraform_data" "a" { input = { size = var.size, tags = { "a.b" = "x" } } }
          resource "terraform_data" "b" { triggers_replace = var.size }
          output "size" { value = terraform_data.a.output.size }
        `,
      })
      const first = await terraformDriver.plan(context)
      expect(first.changes.map(({ address, actions }) => [address, actions])).toEqual([
        ['terraform_data.a', ['create']],
        ['terraform_data.b', ['create']],
        ['output.size', ['create']],
      ])
      expect(first.changes[0]?.attributes).toContainEqual({ path: 'input.tags["a.b"]', after: 'x' })
      expect(first.changes[0]?.attributes).toContainEqual({ path: 'id', unknown: true })
      expect(first.outputs.size).toEqual({ value: null, sensitive: false, unknown: true })
      expect(first.toolVersions[name]).toBe(tool.version)

      const applied = await terraformDriver.apply(context, first)
      expect(applied.status).toBe('applied')
      expect(applied.resources.map(({ status }) => status)).toEqual(['done', 'done', 'done'])
      expect(applied.outputs).toEqual({ size: { value: 1, sensitive: false } })

      const again = await terraformDriver.plan(await nextRun(context))
      expect(again.changes).toEqual([])
      expect(again.coverage.checked).toBe(2)

      const later = await nextRun(context, { inputs: { size: { value: 2, sensitive: false } } })
      const second = await terraformDriver.plan(later)
      expect(second.changes.map(({ address, actions }) => [address, actions])).toEqual([
        ['terraform_data.a', ['update']],
        ['terraform_data.b', ['replace']],
        ['output.size', ['update']],
      ])
      expect(second.changes[1]?.reason).toContain('triggers_replace')
      const result = await terraformDriver.apply(later, second)
      expect(result.resources.map(({ status }) => status)).toEqual(['done', 'done', 'done'])
      expect(result.outputs.size?.value).toBe(2)
    })

    it('leaves neither the plan file nor a secret in clear behind', async () => {
      const context = await open(
        {
          'stack/main.tf': `
            variable "password" { sensitive = true }
            resource "terraform_data" "a" { input = { password = var.password, public = "p" } }
            output "password" {
              value     = var.password
              sensitive = true
            }
          `,
        },
        { inputs: { password: { value: 'correct-horse', sensitive: true } } },
      )
      const plan = await terraformDriver.plan(context)
      expect(JSON.stringify(plan)).not.toContain('correct-horse')
      expect(await readdir(context.scratch)).not.toContain('plan.tfplan')
      const input = plan.changes[0]?.attributes.find(({ path }) => path === 'input.password')
      expect(input).toMatchObject({ sensitive: true, after: context.hash('correct-horse') })
      expect(plan.outputs.password).toEqual({ value: context.hash('correct-horse'), sensitive: true })

      const applied = await terraformDriver.apply(context, plan)
      expect(applied.outputs.password).toEqual({ value: 'correct-horse', sensitive: true })
      const later = await nextRun(context, { inputs: { password: { value: 'battery-staple', sensitive: true } } })
      const second = await terraformDriver.plan(later)
      expect(JSON.stringify(second)).not.toMatch(/correct-horse|battery-staple/)
      // Terraform itself shows the computed attribute in clear: its sensitivity was lost on the way.
      const lost = second.changes[0]?.attributes.find(({ path }) => path.startsWith('output'))
      expect(lost?.before === undefined || lost.sensitive).toBe(true)
      expect([...context.lines, ...later.lines].join('\n')).not.toMatch(/correct-horse|battery-staple/)
    })

    it('hides what a data source read and the code calls sensitive, wherever it shows up', async () => {
      const context = await open({
        'stack/modules/reader/main.tf': `
          variable "path" {}
          data "terraform_remote_state" "other" {
            backend = "local"
            config  = { path = var.path }
          }
          output "path" { value = nonsensitive(data.terraform_remote_state.other.config.path) }
        `,
      })
      const path = join(context.root, 'battery-staple.tfstate')
      await writeFile(path, JSON.stringify({ version: 4, serial: 1, lineage: 'l', outputs: {}, resources: [] }))
      await context.write({
        'stack/main.tf': `
          module "reader" {
            source = "./modules/reader"
            path   = sensitive("${path}")
          }
          resource "terraform_data" "leak" { input = module.reader.path }
        `,
      })
      const plan = await terraformDriver.plan(context)
      expect(plan.changes[0]?.attributes.find((attribute) => attribute.path === 'input')?.sensitive).toBe(true)
      expect(JSON.stringify(plan)).not.toContain('battery-staple')
    })

    it('masks every part of a sensitive output that only the apply knew', async () => {
      const context = await open({
        'stack/main.tf': `
          resource "terraform_data" "a" { input = timestamp() }
          output "login" {
            value     = { at = ["at ${'${terraform_data.a.output}'}"] }
            sensitive = true
          }
        `,
      })
      const { outputs } = await terraformDriver.apply(context, await terraformDriver.plan(context))
      const { at } = outputs.login!.value as { at: string[] }
      expect([...context.masked]).toEqual(at)
    })

    it('refuses a plan whose state has moved on', async () => {
      const context = await open({ 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' })
      const plan = await terraformDriver.plan(context)
      const other = await nextRun(context)
      await terraformDriver.apply(other, await terraformDriver.plan(other))
      await expect(terraformDriver.apply(context, plan)).rejects.toMatchObject({ code: 'PLAN_STALE' })
    })

    it('loses no digit of a large number', async () => {
      const context = await open({
        'stack/main.tf': `
          variable "account" { type = number }
          resource "terraform_data" "a" { input = var.account }
          output "account" { value = terraform_data.a.output }
        `,
      })
      const numbered = (value: string) => nextRun(context, { inputs: { account: { value, sensitive: false } } })
      const first = await numbered('90071992547409931')
      const applied = await terraformDriver.apply(first, await terraformDriver.plan(first))
      expect(applied.outputs.account).toEqual({ value: '90071992547409931', sensitive: false })
      const { changes } = await terraformDriver.plan(await numbered('90071992547409932'))
      const change = { path: 'input', before: '90071992547409931', after: '90071992547409932' }
      expect(changes[0]?.attributes).toContainEqual(change)
    })

    // Ephemeral variables came with Terraform 1.10 and OpenTofu 1.11.
    const hasEphemeral = semver.gte(tool.version, name === 'terraform' ? '1.10.0' : '1.11.0')
    if (hasEphemeral) {
      it('gives ephemeral variables to the apply as well', async () => {
        const variables = 'variable "token" { ephemeral = true }\nvariable "size" {}\n'
        const context = await open(
          { 'stack/main.tf': `${variables}resource "terraform_data" "a" { input = var.size }` },
          { with: { variables: { size: 3 } }, inputs: { token: { value: 'correct-horse', sensitive: true } } },
        )
        const result = await terraformDriver.apply(context, await terraformDriver.plan(context))
        expect(result).toMatchObject({ status: 'applied', findings: [] })
      })
    }

    it('destroys what it made', async () => {
      const context = await open({ 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      const later = await nextRun(context, { destroy: true })
      const plan = await terraformDriver.plan(later)
      expect(plan.changes.map(({ actions }) => actions)).toEqual([['delete']])
      const result = await terraformDriver.apply(later, plan)
      expect(result).toMatchObject({ status: 'applied', outputs: {} })
      expect((await terraformDriver.plan(await nextRun(context, { destroy: true }))).changes).toEqual([])
    })

    it('applies what only moves in the state, and what changes only an output', async () => {
      const context = await open({ 'stack/main.tf': 'resource "terraform_data" "old" { input = 1 }' })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await context.write({
        'stack/main.tf': `
          resource "terraform_data" "new" { input = 1 }
          moved {
            from = terraform_data.old
            to   = terraform_data.new
          }
          output "hello" { value = "world" }
        `,
      })
      const later = await nextRun(context)
      const plan = await terraformDriver.plan(later)
      expect(plan.changes).toMatchObject([
        { address: 'terraform_data.new', actions: ['update'], previousAddress: 'terraform_data.old', attributes: [] },
        { address: 'output.hello', type: 'output', actions: ['create'] },
      ])
      expect(plan.outputs.hello).toEqual({ value: 'world', sensitive: false })
      const result = await terraformDriver.apply(later, plan)
      expect(result.resources.map(({ status }) => status)).toEqual(['done', 'done'])
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    })

    it('says which object is imported', async () => {
      const block = 'import {\n to = terraform_data.a\n id = "i-0123"\n}\n'
      const context = await open({ 'stack/main.tf': `${block}resource "terraform_data" "a" {}` })
      const { changes } = await terraformDriver.plan(context)
      expect(changes).toMatchObject([{ address: 'terraform_data.a', actions: ['import'], reason: 'imports i-0123' }])
    })

    it('reports a failing check block as a finding and applies all the same', async () => {
      const context = await open({
        'stack/main.tf': `
          resource "terraform_data" "a" { input = 1 }

          check "size" {
            assert {
              condition     = terraform_data.a.input > 2
              error_message = "too small"
            }
          }
        `,
      })
      const plan = await terraformDriver.plan(context)
      expect((await terraformDriver.apply(context, plan)).status).toBe('applied')
      expect(plan.findings).toEqual([{ severity: 'warning', code: 'check_failed', message: 'check.size: too small' }])
    })

    it('does not write what is ignored', async () => {
      const files = { 'stack/main.tf': 'resource "terraform_data" "a" { input = { size = 1, name = "x" } }' }
      const ignore = [{ address: 'terraform_data.*', attribute: 'input.size' }]
      const context = await open(files, { ignore })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await context.write({ 'stack/main.tf': 'resource "terraform_data" "a" { input = { size = 2, name = "x" } }' })
      const later = await nextRun(context)
      expect((await terraformDriver.plan(later)).changes).toEqual([])
    })

    it('takes a directory without code for a mistake, and not for the wish to delete all', async () => {
      const context = await open({ 'stack/main.tf': 'resource "terraform_data" "a" { input = 1 }' })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await context.write({ 'stack/main.tf': null, 'stack/README.md': 'moved elsewhere' })
      const later = await nextRun(context)
      await expect(terraformDriver.plan(later)).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
    })

    it('says where broken code is broken', async () => {
      const context = await open({ 'stack/main.tf': '\nresource "terraform_data" "a" { input = var.nope }' })
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
        message: expect.stringContaining('main.tf:2'),
      })
      expect(await terraformDriver.validate(await nextRun(context))).toMatchObject([
        { severity: 'error', path: 'stack/main.tf', line: 2 },
      ])
    })

    it('says where code is broken that does not even parse', async () => {
      const context = await open({ 'stack/main.tf': '\n\nresource "terraform_data" "a" {' })
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
        message: expect.stringContaining('main.tf:3'),
      })
      expect(await terraformDriver.validate(await nextRun(context))).toMatchObject([
        { severity: 'error', path: 'stack/main.tf', line: 3 },
      ])
    })

    it('takes a local module that is not there for a fault of the source', async () => {
      const context = await open({ 'stack/main.tf': 'module "near" { source = "../modules/near" }' })
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
        message: expect.stringContaining('"near" at main.tf:1'),
        next: expect.stringContaining('`source`'),
      })
    })

    it('says where a value that is missing can come from, since nobody here types a command line', async () => {
      const context = await open({ 'stack/main.tf': 'variable "password" {}' })
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
        message: expect.stringContaining('"password"'),
        next: expect.stringMatching(/`with\.variables`.*`trueup variable set TF_VAR_/),
      })
    })

    it('tells a module that cannot be fetched from a fault of the source', async () => {
      const context = await open({
        'stack/main.tf': 'module "far" { source = "git::file:///nonexistent/far.git" }',
      })
      const error: unknown = await terraformDriver.plan(context).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'TOOL_FAILED', next: expect.stringContaining('that the worker can reach') })
    })

    it('holds to the version that the stack wants', async () => {
      const context = await open({ 'stack/main.tf': '' }, { toolVersion: '>=99' })
      await expect(terraformDriver.plan(context)).rejects.toMatchObject({ code: 'TOOL_VERSION' })
      await expect(
        terraformDriver.versions(await nextRun(context, { toolVersion: '>=1.5 <2' })),
      ).resolves.toMatchObject({
        [name]: tool.version,
      })
    })
  })
}
