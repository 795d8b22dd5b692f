import { mkdir, readFile, stat, writeFile, chmod } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { CHEF_MISSING, chefClient } from '../../../test/chef/client.ts'
import { type SourceFile, type TestContext, testContext } from '../testing/context.ts'
import { ChefConfig } from './config.ts'
import { chefDriver } from './index.ts'

const client = chefClient()

describe.skipIf(client === null)(`Chef on the worker itself (${client?.against ?? CHEF_MISSING})`, () => {
  let context: TestContext<ChefConfig>
  let target: string
  afterEach(() => context?.remove())

  async function open(
    recipe: string,
    { files = {}, config = {} }: { files?: { [path: string]: SourceFile }; config?: object } = {},
  ) {
    context = await testContext<ChefConfig>({
      config: ChefConfig.parse({ runList: ['recipe[app]'], variables: ['CHEF_LICENSE'], ...config }),
      files: {
        'stack/cookbooks/app/metadata.rb': "name 'app'\nversion '0.1.0'\n",
        'stack/cookbooks/app/recipes/default.rb': `dir = node['trueup']['inputs']['target']\n${recipe}`,
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
  const next = (changes: Partial<TestContext<ChefConfig>> = {}): Promise<TestContext<ChefConfig>> =>
    context.next<ChefConfig>({ inputs: context.inputs, ...changes })
  const deploy = async (its: TestContext<ChefConfig>) => {
    const planned = await chefDriver.plan(its)
    return { planned, result: await chefDriver.apply(its, planned) }
  }

  const RECIPE = `
file "#{dir}/app.conf" do
  content "port=8080\\nname=a\\n"
  mode '0640'
  notifies :run, 'execute[reload]'
end
template "#{dir}/page" do
  source 'page.erb'
  variables(title: node['app']['title'])
end
file "#{dir}/token" do
  content 's3cr3t-token'
  sensitive true
end
link "#{dir}/current" do
  to "#{dir}/page"
end
execute 'reload' do
  command '/bin/true'
  action :nothing
end
execute 'always' do
  command '/bin/true'
end
execute 'once' do
  command "touch #{dir}/made"
  creates "#{dir}/made"
end
file "#{dir}/guarded" do
  content 'x'
  only_if { false }
end
`
  const FILES = {
    'stack/cookbooks/app/templates/page.erb': 'title: <%= @title %>\nfixed\n',
    'stack/cookbooks/app/attributes/default.rb': "default['app']['title'] = 'from cookbook'\n",
  }

  test('plans what it would make, makes it, and then has nothing to do', async () => {
    await open(RECIPE, { files: FILES, config: { attributes: { app: { title: 'from stack' } } } })
    const { planned, result } = await deploy(context)
    const file = (name: string): string => `file[${target}/${name}]`
    expect(planned.changes.map(({ address, actions }) => [address, actions[0]])).toEqual([
      [file('app.conf'), 'create'],
      [`template[${target}/page]`, 'create'],
      [file('token'), 'create'],
      [`link[${target}/current]`, 'create'],
      ['execute[once]', 'update'],
    ])
    expect(planned.changes[0]!.attributes).toEqual([
      { path: 'mode', after: '0640' },
      { path: 'content', after: 'port=8080\nname=a\n' },
    ])
    expect(planned.coverage.unchecked).toEqual([
      { address: 'execute[always]', why: expect.stringContaining('runs with every apply') as string },
    ])
    expect(new Set(planned.findings.map(({ code }) => code))).toEqual(new Set(['guards_ran', 'refresh']))
    expect(result).toMatchObject({
      status: 'applied',
      resources: Array.from({ length: 5 }, () => ({ status: 'done' })),
    })
    expect(await readFile(join(target, 'page'), 'utf8')).toBe('title: from stack\nfixed\n')
    const said = JSON.stringify([planned, result, context.lines])
    expect(said).not.toContain('s3cr3t-token')

    const again = await chefDriver.plan(await next())
    expect(again.changes).toEqual([])
  })

  test('drift is shown at the attribute, with whole contents, and secrets as hashes', async () => {
    await open(RECIPE, { files: FILES })
    await deploy(context)
    await writeFile(join(target, 'app.conf'), 'port=1\nname=a\nmore\n')
    await chmod(join(target, 'app.conf'), 0o777)
    await writeFile(join(target, 'page'), 'title: other\nfixed')
    await writeFile(join(target, 'token'), 'other')
    const { changes } = await chefDriver.plan(await next())
    expect(changes.map(({ attributes }) => attributes)).toEqual([
      [
        { path: 'content', before: 'port=1\nname=a\nmore\n', after: 'port=8080\nname=a\n' },
        { path: 'mode', before: '0777', after: '0640' },
      ],
      [{ path: 'content', before: 'title: other\nfixed', after: 'title: from cookbook\nfixed\n' }],
      [
        {
          path: 'content',
          sensitive: true,
          before: expect.stringMatching(/^hmac:/) as string,
          after: expect.stringMatching(/^hmac:/) as string,
        },
      ],
    ])
    const [secret] = changes[2]!.attributes
    expect(secret!.before).not.toBe(secret!.after)
  })

  test('an ignored attribute is neither shown nor written', async () => {
    await open(RECIPE, { files: FILES })
    await deploy(context)
    await writeFile(join(target, 'app.conf'), 'theirs\n')
    await chmod(join(target, 'app.conf'), 0o600)
    const ignore = [{ address: `file[${target}/app.conf]`, attribute: 'content' }]
    const { planned, result } = await deploy(await next({ ignore }))
    expect(planned.changes.map(({ attributes }) => attributes.map(({ path }) => path))).toEqual([['mode']])
    expect(result.status).toBe('applied')
    expect(await readFile(join(target, 'app.conf'), 'utf8')).toBe('theirs\n')
    expect((await stat(join(target, 'app.conf'))).mode & 0o777).toBe(0o640)
  })

  test('a recipe that does not load is SOURCE_INVALID with file and line', async () => {
    await open('file "#{dir}/x" do\n  nonsense 1\nend\n')
    await expect(chefDriver.plan(context)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { details: { file: 'stack/cookbooks/app/recipes/default.rb', line: 3 } },
    })
    await context.write({ 'stack/cookbooks/app/recipes/default.rb': 'file "/x" do\n' })
    expect(await chefDriver.validate(context)).toContainEqual(
      expect.objectContaining({ severity: 'error', path: 'stack/cookbooks/app/recipes/default.rb' }),
    )
  })

  test('a run list that names what is not there is found without a host', async () => {
    await open('', { config: { runList: ['recipe[app::nope]'] } })
    expect(await chefDriver.validate(context)).toMatchObject([{ severity: 'error', code: 'recipe_missing' }])
    await expect(chefDriver.plan(context)).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
  })

  test('a reboot that the run asks for is a warning, and the apply worked', async () => {
    await open(`
file "#{dir}/kernel" do
  content 'new'
end
reboot 'kernel' do
  action :request_reboot
end
`)
    const reboot = await chefDriver.plan(context)
    expect(reboot.changes.map(({ address }) => address)).toContain(`file[${target}/kernel]`)
    if (client!.real) return // It would really reboot this machine.
    const result = await chefDriver.apply(context, reboot)
    expect(result.status).toBe('applied')
    expect(result.findings).toContainEqual(expect.objectContaining({ severity: 'warning', code: 'reboot_scheduled' }))
  })

  test('a policy gives run list and attributes, and takes cookbooks of the repository only', async () => {
    const lock = (cookbook: object): string =>
      JSON.stringify({
        revision_id: 'x',
        name: 'web',
        run_list: ['recipe[site::default]'],
        cookbook_locks: { site: { version: '1.0.0', identifier: 'y', ...cookbook } },
        default_attributes: { site: { title: 'from policy' } },
        override_attributes: {},
      })
    await open('', {
      config: { runList: undefined },
      files: {
        'stack/Policyfile.rb': "name 'web'\n",
        'stack/Policyfile.lock.json': lock({ source: '../shared/site' }),
        'shared/site/metadata.rb': "name 'site'\nversion '1.0.0'\n",
        'shared/site/recipes/default.rb':
          "file \"#{node['trueup']['inputs']['target']}/site\" do\n  content node['site']['title']\nend\n",
      },
    })
    const { read, list, config } = context
    expect(await chefDriver.dependencies(read, list, 'stack', config)).toEqual(['shared/site'])
    const { result } = await deploy(context)
    expect(result.status).toBe('applied')
    expect(await readFile(join(target, 'site'), 'utf8')).toBe('from policy')
    await context.write({
      'stack/Policyfile.lock.json': lock({ cache_key: 'site-1.0.0-supermarket' }),
      'shared/site/metadata.rb': null,
      'shared/site/recipes/default.rb': null,
    })
    await expect(chefDriver.plan(await next())).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { why: expect.stringContaining('cookbook site 1.0.0 is not in the repository') as string },
    })
  })
})
