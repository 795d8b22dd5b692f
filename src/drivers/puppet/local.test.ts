import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeWithTool } from '../../../test/tools.ts'
import { type SourceFile, type TestContext, testContext, type TestContextOptions } from '../testing/context.ts'
import { PuppetConfig } from './config.ts'
import { puppetDriver } from './index.ts'

describeWithTool('puppet', 'Puppet on the worker itself', () => {
  let context: TestContext<PuppetConfig>
  let target: string
  afterEach(() => context?.remove())

  /** A stack whose manifests find the directory they manage as an input. */
  async function open(
    files: { [path: string]: SourceFile },
    { config, inputs, ...more }: Omit<Partial<TestContextOptions<PuppetConfig>>, 'config'> & { config?: object } = {},
  ): Promise<void> {
    context = await testContext<PuppetConfig>({
      config: PuppetConfig.parse(config ?? {}),
      files,
      inputs: { ...inputs },
      ...more,
    } as TestContextOptions<PuppetConfig>)
    target = join(context.root, 'target')
    await mkdir(target)
    context.inputs = { ...context.inputs, target: { value: target, sensitive: false } }
  }
  /** A later run with the same inputs. */
  const next = (changes: Partial<TestContext<PuppetConfig>> = {}): Promise<TestContext<PuppetConfig>> =>
    context.next<PuppetConfig>({ inputs: context.inputs, ...changes })
  const deploy = async (its: TestContext<PuppetConfig>) => {
    const planned = await puppetDriver.plan(its)
    return { planned, result: await puppetDriver.apply(its, planned) }
  }
  const SITE = `
$dir = $facts['trueup']['inputs']['target']
file { "\${dir}/app.conf":
  content => "port=8080\\n",
  mode    => '0640',
}
file { "\${dir}/token":
  content => Sensitive("s3cr3t-token\\n"),
}
file { "\${dir}/from-module":
  source => 'puppet:///modules/demo/page.html',
}
exec { 'build':
  command => "/usr/bin/touch \${dir}/built",
  creates => "\${dir}/built",
}
exec { 'always':
  command => '/bin/true',
}
`
  const FILES = { 'stack/manifests/site.pp': SITE, 'stack/modules/demo/files/page.html': '<p>hi</p>\n' }

  test('plans what it would make, makes it, and then has nothing to do', { timeout: 240_000 }, async () => {
    await open(FILES)
    const { planned, result } = await deploy(context)
    const file = (name: string): string => `File[${target}/${name}]`
    expect(planned.changes.map(({ address, actions }) => [address, actions[0]])).toEqual([
      [file('app.conf'), 'create'],
      [file('token'), 'create'],
      [file('from-module'), 'create'],
      ['Exec[build]', 'update'],
    ])
    expect(planned.changes[0]!.attributes).toEqual([
      { path: 'content', after: 'port=8080\n' },
      { path: 'mode', after: '0640' },
      { path: 'ensure', before: 'absent', after: 'file' },
    ])
    expect(planned.changes[2]!.attributes).toContainEqual({ path: 'content', after: '<p>hi</p>\n' })
    expect(planned.coverage.unchecked).toEqual([
      { address: 'Exec[always]', why: expect.stringContaining('runs with every apply') as string },
    ])
    expect(planned.toolVersions.puppet).toMatch(/^\d+\.\d+\.\d+$/)
    expect(result).toMatchObject({
      status: 'applied',
      resources: Array.from({ length: 4 }, () => ({ status: 'done' })),
    })
    expect(await readFile(join(target, 'app.conf'), 'utf8')).toBe('port=8080\n')
    const said = JSON.stringify([planned, result, context.lines])
    expect(said).not.toContain('s3cr3t-token')

    const again = await puppetDriver.plan(await next())
    expect(again.changes).toEqual([])
  })

  test('what Puppet could not look at is no sign of nothing to do', { timeout: 240_000 }, async () => {
    await open({
      'stack/site.pp': `
$dir = $facts['trueup']['inputs']['target']
exec { 'guarded': command => '/bin/true', onlyif => '/none/program' }
file { "\${dir}/behind": ensure => absent, require => Exec['guarded'] }
file { "\${dir}/right": ensure => absent }
`,
    })
    const { changes, coverage } = await puppetDriver.plan(context)
    expect(changes).toEqual([])
    expect(coverage).toEqual({
      checked: 1,
      unchecked: [
        { address: 'Exec[guarded]', why: expect.any(String) as string, failed: true },
        { address: `File[${target}/behind]`, why: expect.stringContaining('depends on failed') as string },
      ],
    })
  })

  test('what only an apply can look at is run by it', { timeout: 240_000 }, async () => {
    const site = `exec { 'always': command => "/usr/bin/touch \${facts['trueup']['inputs']['target']}/ran" }`
    await open({ 'stack/site.pp': site })
    const { planned, result } = await deploy(context)
    expect(planned.changes).toEqual([])
    expect(planned.coverage.unchecked).toMatchObject([{ address: 'Exec[always]' }])
    expect(result).toMatchObject({ status: 'applied', findings: [{ code: 'beyond_plan' }] })
    await stat(join(target, 'ran'))
  })

  test('drift is shown at the attribute, with contents, and secrets as hashes', { timeout: 240_000 }, async () => {
    await open(FILES)
    await deploy(context)
    await writeFile(join(target, 'app.conf'), 'port=1\n')
    await chmod(join(target, 'app.conf'), 0o777)
    await writeFile(join(target, 'token'), 'other\n')
    const { changes, findings } = await puppetDriver.plan(await next())
    expect(changes).toEqual([
      {
        address: `File[${target}/app.conf]`,
        type: 'File',
        cause: 'config',
        actions: ['update'],
        attributes: [
          { path: 'content', before: 'port=1\n', after: 'port=8080\n' },
          { path: 'mode', before: '0777', after: '0640' },
        ],
      },
      expect.objectContaining({
        address: `File[${target}/token]`,
        attributes: [
          {
            path: 'content',
            sensitive: true,
            before: context.hash('other\n'),
            after: context.hash('s3cr3t-token\n'),
          },
        ],
      }),
    ])
    expect(findings).toEqual([])
  })

  test('an ignored attribute is neither shown nor written', { timeout: 240_000 }, async () => {
    await open(FILES)
    await deploy(context)
    await chmod(join(target, 'app.conf'), 0o600)
    await writeFile(join(target, 'app.conf'), 'changed\n')
    const ignore = [{ address: `File[${target}/app.conf]`, attribute: 'mode' }]
    const { planned, result } = await deploy(await next({ ignore }))
    expect(planned.changes.map(({ attributes }) => attributes.map(({ path }) => path))).toEqual([['content']])
    expect(result.status).toBe('applied')
    expect((await stat(join(target, 'app.conf'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(target, 'app.conf'), 'utf8')).toBe('port=8080\n')
  })

  test('a failed resource is named, and what hangs on it is skipped', { timeout: 240_000 }, async () => {
    await open({
      'stack/site.pp': `
$dir = $facts['trueup']['inputs']['target']
file { "\${dir}/one": content => 'x' }
exec { 'fails': command => '/bin/sh -c "echo broken >&2; exit 4"', creates => "\${dir}/never" }
file { "\${dir}/after": content => 'y', require => Exec['fails'] }
`,
    })
    const { result } = await deploy(context)
    expect(result.status).toBe('failed')
    expect(result.resources).toMatchObject([
      { address: `File[${target}/one]`, status: 'done' },
      { address: 'Exec[fails]', status: 'failed', message: expect.stringContaining('returned 4') as string },
      {
        address: `File[${target}/after]`,
        status: 'skipped',
        message: expect.stringContaining('Exec[fails]') as string,
      },
    ])
    expect(result.findings).toContainEqual(
      expect.objectContaining({ severity: 'error', path: 'stack/site.pp', line: 4 }),
    )
  })

  test('a source that does not compile is SOURCE_INVALID with file and line', { timeout: 240_000 }, async () => {
    await open({ 'stack/site.pp': `\nfile { '/tmp/x': contnt => 1 }\n` })
    await expect(puppetDriver.plan(context)).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { details: { file: 'stack/site.pp', line: 2 } },
    })
    await context.write({ 'stack/site.pp': 'include nope\n' })
    await expect(puppetDriver.plan(await next())).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      text: { details: { file: 'stack/site.pp', line: 1 } },
    })
  })

  test('Hiera, modules beside the stack and inputs are found', { timeout: 240_000 }, async () => {
    await open(
      {
        'puppet/web/site.pp': 'include web\n',
        'puppet/web/hiera.yaml':
          'version: 5\ndefaults: { datadir: ../data, data_hash: yaml_data }\nhierarchy:\n' +
          '  - { name: env, path: "%{facts.trueup.environment}.yaml" }\n  - { name: common, path: common.yaml }\n',
        'puppet/data/staging.yaml': 'web::greeting: from staging\n',
        'puppet/data/common.yaml': 'web::greeting: from common\n',
        'puppet/modules/web/manifests/init.pp':
          'class web(String $greeting) {\n  $dir = $facts["trueup"]["inputs"]["target"]\n' +
          '  file { "${dir}/greeting": content => "${greeting} ${facts[trueup][inputs][port]}\\n" }\n}\n',
      },
      {
        path: 'puppet/web',
        config: { modulepath: ['../modules'] },
        inputs: { port: { value: 8080, sensitive: false } },
      },
    )
    const { read, list } = context
    expect(await puppetDriver.dependencies(read, list, 'puppet/web', context.config)).toEqual([
      'puppet/data',
      'puppet/modules',
    ])
    const { changes } = await puppetDriver.plan(context)
    expect(changes[0]!.attributes).toContainEqual({ path: 'content', after: 'from staging 8080\n' })
  })

  test('a resource that says noop stays as it is and is named as not checked', { timeout: 240_000 }, async () => {
    await open({
      'stack/site.pp': `
$dir = $facts['trueup']['inputs']['target']
file { "\${dir}/a": content => 'x' }
file { "\${dir}/b": content => 'x', noop => true }
`,
    })
    const { planned, result } = await deploy(context)
    expect(planned.changes).toHaveLength(1)
    expect(planned.coverage.unchecked).toMatchObject([{ address: `File[${target}/b]` }])
    expect(result.resources).toMatchObject([{ status: 'done' }])
    await rm(join(target, 'a'))
  })

  test('a refresh is announced, and validate names what the parser and the linter say', {
    timeout: 240_000,
  }, async () => {
    await open({
      'stack/site.pp': `
$dir = $facts['trueup']['inputs']['target']
file { "$dir/a": content => 'x', notify => Exec['reload'] }
exec { 'reload': command => '/bin/true', refreshonly => true }
`,
    })
    const { findings } = await puppetDriver.plan(context)
    expect(findings).toEqual([{ severity: 'info', code: 'refresh', message: 'Exec[reload] would be refreshed' }])
    await context.write({ 'stack/site.pp': 'file { "/tmp/x": ensure => }\n' })
    expect(await puppetDriver.validate(context)).toContainEqual(
      expect.objectContaining({ severity: 'error', path: 'stack/site.pp', line: 1 }),
    )
  })

  test('a directory that Puppet would only say it removed is not planned as removed', {
    timeout: 240_000,
  }, async () => {
    const manifest = (force: string) => `
$dir = $facts['trueup']['inputs']['target']
file { "\${dir}/gone": ensure => absent${force} }
file { "\${dir}/purged": ensure => directory, recurse => true, purge => true${force} }
`
    await open({ 'stack/manifests/site.pp': manifest('') })
    for (const path of ['gone/x', 'purged/sub']) await mkdir(join(target, path), { recursive: true })
    const { planned, result } = await deploy(context)
    const left = [`File[${target}/gone]`, `File[${target}/purged/sub]`]
    expect(planned.changes).toEqual([])
    expect(planned.coverage.unchecked.map(({ address, failed }) => [address, failed])).toEqual(
      left.map((address) => [address, true]),
    )
    expect(planned.coverage.unchecked[0]!.why).toContain('force => true')
    expect(result.status).toBe('failed')
    expect(result.resources.map(({ address, status }) => [address, status])).toEqual(
      left.map((address) => [address, 'failed']),
    )
    await context.write({ 'stack/manifests/site.pp': manifest(', force => true') })
    const forced = await deploy(await next())
    expect(forced.planned.coverage.unchecked).toEqual([])
    expect(forced.planned.changes.map(({ address, actions }) => [address, actions])).toEqual(
      left.map((address) => [address, ['delete']]),
    )
    expect(forced.result.status).toBe('applied')
    expect((await puppetDriver.plan(await next())).changes).toEqual([])
  })
})
