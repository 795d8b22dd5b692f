import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nextRun } from '../../../../test/terraform-provider/stack.ts'
import { useStacks } from '../../../../test/terraform-provider/use-stacks.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { RunRequest } from '../../../domain/runs/run-request.ts'
import { terraformDriver } from '../index.ts'

const { openHostStack } = useStacks()

const FILES = `
  resource "hostfile_file" "motd" {
    path    = "/motd"
    content = "hello\\n"
  }
  resource "hostfile_file" "app" {
    for_each = toset(["a", "b"])
    path     = "/app/\${each.key}.conf"
    content  = "key = \${each.key}\\n"
  }
  output "motd" { value = hostfile_file.motd.id }
`

for (const name of ['terraform', 'tofu'] as const) {
  describeWithTool(name, 'what people ask of one run', (tool) => {
    const open = async () => {
      const { context, target } = await openHostStack(tool, FILES)
      await terraformDriver.apply(context, await terraformDriver.plan(context))
      const asking = (request: object) => nextRun(context, { kind: 'heal', request: RunRequest.parse(request) })
      return { context, target, asking }
    }

    it('changes its targets and nothing else', async () => {
      const { target, asking } = await open()
      await writeFile(join(target, 'motd'), 'by hand\n')
      await writeFile(join(target, 'app/a.conf'), 'by hand\n')
      const its = await asking({ targets: ['hostfile_file.app["a"]'] })
      const plan = await terraformDriver.plan(its)
      expect(plan.changes.map(({ address }) => address)).toEqual(['hostfile_file.app["a"]'])
      expect(plan.findings.map(({ message }) => message).join()).toMatch(/targeting/i)
      expect(plan.coverage.checked).toBe(1)
      expect(await terraformDriver.apply(its, plan)).toMatchObject({ status: 'applied' })
      expect(await readFile(join(target, 'app/a.conf'), 'utf8')).toBe('key = a\n')
      expect(await readFile(join(target, 'motd'), 'utf8')).toBe('by hand\n')
    })

    it('makes anew what is to be replaced', async () => {
      const { target, asking } = await open()
      const its = await asking({ replaces: ['hostfile_file.motd'] })
      const plan = await terraformDriver.plan(its)
      expect(plan.changes).toMatchObject([
        { address: 'hostfile_file.motd', actions: ['replace'], reason: 'to be replaced, as asked' },
        { address: 'output.motd' },
      ])
      const result = await terraformDriver.apply(its, plan)
      expect(result.resources[0]).toMatchObject({ address: 'hostfile_file.motd', status: 'done' })
      expect(its.lines.filter((line) => /(Destruction|Creation) complete/.test(line))).toHaveLength(2)
      expect(await readFile(join(target, 'motd'), 'utf8')).toBe('hello\n')
    })

    it('moves an object in the state, and the real one stays', async () => {
      const { context, target, asking } = await open()
      const its = await asking({ state: { do: 'move', from: 'hostfile_file.motd', to: 'hostfile_file.greeting' } })
      const plan = await terraformDriver.plan(its)
      expect(plan.changes).toMatchObject([
        {
          address: 'hostfile_file.greeting',
          type: 'hostfile_file',
          actions: ['update'],
          attributes: [],
          previousAddress: 'hostfile_file.motd',
        },
      ])
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
      const result = await terraformDriver.apply(its, plan)
      expect(result).toMatchObject({ status: 'applied', outputs: { motd: { value: '/motd' } } })
      expect(await readdir(target)).toContain('motd')

      await context.write({
        'stack/main.tf': String(await context.read('stack/main.tf'))
          .replaceAll(/(")motd(" \{\n {4}path)/g, '$1greeting$2')
          .replace('.motd.id', '.greeting.id'),
      })
      expect((await terraformDriver.plan(await nextRun(context))).changes).toEqual([])
    })

    it('forgets objects, every instance by its address', async () => {
      const { target, asking } = await open()
      const its = await asking({ state: { do: 'remove', addresses: ['hostfile_file.app'] } })
      const plan = await terraformDriver.plan(its)
      expect(plan.changes).toMatchObject([
        { address: 'hostfile_file.app["a"]', actions: ['forget'] },
        { address: 'hostfile_file.app["b"]', actions: ['forget'] },
      ])
      expect(await terraformDriver.apply(its, plan)).toMatchObject({ status: 'applied' })
      expect(await readdir(join(target, 'app'))).toEqual(['a.conf', 'b.conf'])
      const again = await asking({ state: { do: 'remove', addresses: ['hostfile_file.app'] } })
      await expect(terraformDriver.plan(again)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      // What was planned and is gone by now: nothing is done.
      await expect(terraformDriver.apply(its, plan)).rejects.toBeInstanceOf(Error)
    })

    it('refuses to move what is not there, before anything else', async () => {
      const { asking } = await open()
      const its = await asking({ state: { do: 'move', from: 'hostfile_file.nope', to: 'hostfile_file.new' } })
      await expect(terraformDriver.plan(its)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('nope'),
      })
    })
  })
}
