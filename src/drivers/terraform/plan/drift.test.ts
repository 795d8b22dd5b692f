import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nextRun } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { terraformDriver } from '../index.ts'

const { openHostStack } = useStacks()

const THREE_FILES = `
  resource "hostfile_file" "motd" {
    path    = "/motd"
    content = "hello\\n"
  }
  resource "hostfile_file" "app" {
    for_each = toset(["a", "b"])
    path     = "/app/\${each.key}.conf"
    content  = "key = \${each.key}\\n"
    mode     = "0600"
    secret   = "s3cr3t-of-\${each.key}"
  }
`

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'drift of real files', (tool) => {
    it('names what changed outside and stays, and what changes nothing but a mark', async () => {
      const { context, target } = await openHostStack(
        tool,
        `
        resource "hostfile_file" "kept" {
          path    = "/kept"
          content = "hello"
          lifecycle { ignore_changes = [content] }
        }
        resource "terraform_data" "reader" { input = hostfile_file.kept.content }
        resource "terraform_data" "plain" { input = "x" }
        `,
      )
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await writeFile(join(target, 'kept'), 'tampered')
      await context.write({
        'stack/later.tf': 'moved {\n  from = terraform_data.plain\n  to = terraform_data.marked\n}',
        'stack/main.tf': (await readFile(join(context.workspace, 'stack/main.tf'), 'utf8')).replace(
          '"plain" { input = "x" }',
          '"marked" { input = sensitive("x") }',
        ),
      })
      const { changes, findings } = await terraformDriver.plan(await nextRun(context))
      expect(changes.find(({ address }) => address === 'terraform_data.marked')).toEqual({
        address: 'terraform_data.marked',
        type: 'terraform_data',
        actions: ['update'],
        attributes: [],
        cause: 'config',
        reason: 'no value changes, only what is sensitive: input',
        previousAddress: 'terraform_data.plain',
      })
      expect(findings).toContainEqual({
        severity: 'info',
        code: 'changed_outside',
        message:
          'hostfile_file.kept: content, sha256 changed outside; no code sets it, so it stays; other parts of the code read it',
      })
    })

    it('finds edits, modes and deletions, and overwrites them', async () => {
      const { context, target } = await openHostStack(tool, THREE_FILES)
      const first = await terraformDriver.plan(context)
      expect(first.toolVersions['example.test/trueup-test/hostfile']).toBe('0.1.0')
      await terraformDriver.apply(context, first)
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])

      await writeFile(join(target, 'motd'), 'tampered\n')
      await rm(join(target, 'app/a.conf'))
      await chmod(join(target, 'app/b.conf'), 0o777)
      const later = await nextRun(context)
      const drift = await terraformDriver.plan(later)
      expect(drift.changes).toMatchObject([
        { address: 'hostfile_file.app["a"]', actions: ['create'], cause: 'drift', reason: 'deleted outside' },
        {
          address: 'hostfile_file.app["b"]',
          actions: ['update'],
          cause: 'drift',
          attributes: [{ path: 'mode', before: '0777', after: '0600' }],
        },
        { address: 'hostfile_file.motd', actions: ['update'], cause: 'drift', reason: 'changed outside' },
      ])
      expect(drift.changes[2]?.attributes[0]).toEqual({ path: 'content', before: 'tampered\n', after: 'hello\n' })
      expect(drift.coverage).toEqual({ checked: 3, unchecked: [] })

      const healed = await terraformDriver.apply(later, drift)
      expect(healed.resources.map(({ status }) => status)).toEqual(['done', 'done', 'done'])
      expect(await readFile(join(target, 'motd'), 'utf8')).toBe('hello\n')
      expect((await stat(join(target, 'app/b.conf'))).mode & 0o777).toBe(0o600)
    })

    it('shows that a sensitive value differs without showing either', async () => {
      const { context, target } = await openHostStack(tool, THREE_FILES)
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await writeFile(join(target, 'app/a.conf.secret'), 'stolen-and-replaced')
      const drift = await terraformDriver.plan(await nextRun(context))
      expect(drift.changes).toMatchObject([
        { address: 'hostfile_file.app["a"]', actions: ['update'], cause: 'drift', attributes: [{ path: 'secret' }] },
      ])
      expect(drift.changes[0]?.attributes).toEqual([
        {
          path: 'secret',
          before: context.hash('stolen-and-replaced'),
          after: context.hash('s3cr3t-of-a'),
          sensitive: true,
        },
      ])
      expect(JSON.stringify(drift)).not.toMatch(/s3cr3t|stolen/)
    })

    it('says that a plan without refresh has looked at nothing', async () => {
      const { context, target } = await openHostStack(tool, THREE_FILES, { with: { refresh: false } })
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      await writeFile(join(target, 'motd'), 'tampered\n')
      const plan = await terraformDriver.plan(await nextRun(context))
      expect(plan.changes).toEqual([])
      expect(plan.coverage.checked).toBe(0)
      expect(plan.coverage.unchecked).toHaveLength(3)
    })

    it('adopts what exists by an import block', async () => {
      const { context, target, code } = await openHostStack(tool, '')
      await writeFile(join(target, 'motd'), 'already here\n')
      await code(`
        import {
          to = hostfile_file.motd
          id = "/motd"
        }
        resource "hostfile_file" "motd" {
          path    = "/motd"
          content = "ours now\\n"
        }
      `)
      const plan = await terraformDriver.plan(context)
      expect(plan.changes).toMatchObject([{ address: 'hostfile_file.motd', actions: ['import', 'update'] }])
      const result = await terraformDriver.apply(context, plan)
      expect(result.resources).toMatchObject([{ status: 'done' }])
      expect(await readFile(join(target, 'motd'), 'utf8')).toBe('ours now\n')
    })
  })
}
