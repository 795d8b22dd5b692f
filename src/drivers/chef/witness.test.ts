import { mkdir, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { CHEF_MISSING, chefClient } from '../../../test/chef/client.ts'
import { type SourceFile, type TestContext, testContext } from '../testing/context.ts'
import { ChefConfig } from './config.ts'
import { chefDriver } from './index.ts'

const client = chefClient()
const RECIPE = 'stack/cookbooks/app/recipes/default.rb'

describe.skipIf(client === null)(`the witness of a run (${client?.against ?? CHEF_MISSING})`, () => {
  let context: TestContext<ChefConfig>
  let target: string
  afterEach(() => context?.remove())

  async function open(recipe: string, files: { [path: string]: SourceFile } = {}): Promise<void> {
    context = await testContext<ChefConfig>({
      config: ChefConfig.parse({ runList: ['recipe[app]'], variables: ['CHEF_LICENSE'], lockTimeout: 600 }),
      files: {
        'stack/cookbooks/app/metadata.rb': "name 'app'\nversion '0.1.0'\n",
        [RECIPE]: `dir = node['trueup']['inputs']['target']\n${recipe}`,
        ...files,
      },
      env: {
        PATH: `${client!.directory}${delimiter}${process.env.PATH}`,
        CHEF_LICENSE: process.env.CHEF_LICENSE ?? 'accept-no-persist',
      },
    })
    target = join(context.root, 'target')
    await mkdir(target)
    context.inputs = { target: { value: target, sensitive: false } }
  }
  const file = (name: string): string => `file[${target}/${name}]`

  test('evaluates nothing itself, takes any bytes, and calls what a notification does no drift', async () => {
    await open(String.raw`
file "#{dir}/lazy" do
  content lazy { "lazy\n" }
end
file "#{dir}/guarded" do
  content lazy { raise 'evaluated' }
  only_if { false }
end
link "#{dir}/later" do
  to lazy { ::File.realpath("#{dir}/lazy") }
end
file "#{dir}/bytes" do
  content "caf\xE9"
end
execute "printf 'caf\xE9' >#{dir}/printed" do
  creates "#{dir}/printed"
end
file "#{dir}/conf" do
  content 'a'
  notifies :create, "file[#{dir}/delayed]", :delayed
  notifies :run, 'execute[before]', :before
end
file "#{dir}/delayed" do
  content 'b'
  action :nothing
end
execute 'before' do
  command '/bin/true'
  action :nothing
end
execute "echo s3cr3t-word >#{dir}/told" do
  sensitive true
  not_if { ::File.exist?("#{dir}/told") }
end
`)
    const plan = await chefDriver.plan(context)
    const secret = 'execute[sensitive, app::default line 32]'
    expect(plan.changes.map(({ address }) => address)).toEqual([
      file('lazy'),
      file('bytes'),
      `execute[printf 'caf\\xE9' >${target}/printed]`,
      file('conf'),
      secret,
    ])
    expect(plan.changes[0]!.attributes).toEqual([{ path: 'content', after: 'lazy\n' }])
    expect(plan.coverage.unchecked).toEqual([
      {
        address: `link[${target}/later]`,
        why: expect.stringContaining('could not look at it yet') as string,
        failed: true,
      },
    ])
    expect(plan.findings).toContainEqual(
      expect.objectContaining({ code: 'not_looked_at', path: RECIPE, line: expect.any(Number) as number }),
    )
    expect(plan.findings.filter(({ code }) => code === 'refresh').map(({ message }) => message)).toContain(
      `${file('delayed')} would run, notified by ${file('conf')}`,
    )
    expect(plan.findings.filter(({ code }) => code === 'witness')).toEqual([])

    const result = await chefDriver.apply(context, plan)
    expect(result.status).toBe('applied')
    expect(result.resources.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'done'))
    expect(await readFile(join(target, 'later'), 'utf8')).toBe('lazy\n')
    expect(await readFile(join(target, 'told'), 'utf8')).toBe('s3cr3t-word\n')
    expect(JSON.stringify([plan, result, context.lines])).not.toContain('s3cr3t-word')
    const again = await chefDriver.plan(await context.next<ChefConfig>({ inputs: context.inputs }))
    expect(again.changes).toEqual([])
    expect(again.coverage.unchecked).toEqual([])
  })

  test('a sensitive command that fails tells nothing, anything else its place', async () => {
    await open(String.raw`
execute "echo s3cr3t-word; echo other-s3cr3t >&2; false" do
  sensitive true
end
`)
    const sensitive = await chefDriver.apply(context, await chefDriver.plan(context))
    expect(sensitive.status).toBe('failed')
    expect(JSON.stringify([sensitive, context.lines])).not.toContain('s3cr3t')

    await context.write({
      [RECIPE]: `file '${target}/x' do\n  content 'x'\nend\nexecute 'bad' do\n  command 'false'\nend\n`,
    })
    const failed = await chefDriver.apply(context, await chefDriver.plan(context))
    expect(failed.status).toBe('failed')
    expect(failed.findings).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        path: RECIPE,
        line: 4,
        message: expect.stringContaining('execute[bad]') as string,
      }),
    )
  })

  test('what a recipe did before it failed to compile is an apply that failed', async () => {
    await open(`
file "#{dir}/early" do
  content 'x'
  action :nothing
end.run_action(:create)
raise 'broken' unless Chef::Config[:why_run]
`)
    const plan = await chefDriver.plan(context)
    expect(plan.changes.map(({ address }) => address)).toEqual([file('early')])
    const result = await chefDriver.apply(context, plan)
    expect(result.status).toBe('failed')
    expect(result.resources).toMatchObject([{ address: file('early'), status: 'done' }])
    expect(result.findings).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        message: expect.stringContaining('broken') as string,
        path: RECIPE,
        line: 7,
      }),
    )
  })

  test('a source error that only the converge meets, and a dependency that is missing, are SOURCE_INVALID', async () => {
    await open('template "#{dir}/t" do\n  source \'t.erb\'\nend\n', {
      'stack/cookbooks/app/templates/t.erb': 'x\n<%= nothing.here %>\n',
    })
    await expect(chefDriver.plan(context)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { why: expect.stringContaining('template[') as string, details: { file: RECIPE, line: 2 } },
    })
    const metadata = 'stack/cookbooks/app/metadata.rb'
    await context.write({ [metadata]: "name 'app'\nversion '0.1.0'\ndepends 'apt', '>= 1.0'\n" })
    await expect(chefDriver.plan(context)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { why: expect.stringMatching(/cookbook.* apt/) as string },
    })
    expect(await chefDriver.validate(context)).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'cookbook_missing', path: metadata, line: 3 }),
    )
  })

  test.skipIf(client?.real)('a reboot in the middle is an apply that did not come to its end', async () => {
    await open(`
file "#{dir}/one" do
  content 'x'
end
reboot 'now' do
  action :reboot_now
end
file "#{dir}/two" do
  content 'x'
end
`)
    const plan = await chefDriver.plan(context)
    const result = await chefDriver.apply(context, plan)
    expect(result.status).toBe('failed')
    expect(result.resources.find(({ address }) => address === file('two'))).toMatchObject({ status: 'skipped' })
    expect(result.findings.map(({ code }) => code)).toContain('ended_early')
  })
})
