import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { describeWithTool } from '../tools.ts'
import { doubleProgram, recorded } from './client.ts'

const run = promisify(execFile)

/** The recipe of the recorded runs, without a package and a user, which are no business of this machine. */
const recipe = (root: string): string => `
directory '${root}/tree/etc' do
  recursive true
  mode '0755'
end
file '${root}/tree/etc/app.conf' do
  content "port=8080\\n"
  mode '0640'
  notifies :run, 'execute[reload]', :delayed
end
template '${root}/tree/etc/app.tpl' do
  source 'app.erb'
  variables(v: 1)
end
file '${root}/tree/etc/secret' do
  content "s3cr3t\\n"
  sensitive true
end
execute 'reload' do
  command '/bin/true'
  action :nothing
end
execute 'build' do
  command 'touch ${root}/tree/built'
  creates '${root}/tree/built'
end
ruby_block 'rb' do
  block {}
end
link '${root}/tree/cur' do
  to '${root}/tree/etc'
end
file '${root}/tree/skipme' do
  content 'x'
  only_if { false }
end
`

describeWithTool('ruby', 'the double of chef-client', () => {
  let root: string
  afterEach(() => rm(root, { recursive: true, force: true }))

  test('prints what real runs were recorded to print', async () => {
    root = await mkdtemp(join(tmpdir(), 'trueup-chef-'))
    const cookbook = join(root, 'cookbooks', 'demo')
    for (const name of ['recipes', 'templates']) await mkdir(join(cookbook, name), { recursive: true })
    await writeFile(join(cookbook, 'metadata.rb'), "name 'demo'\nversion '0.1.0'\n")
    await writeFile(join(cookbook, 'recipes', 'default.rb'), recipe(root))
    await writeFile(join(cookbook, 'templates', 'app.erb'), 'v=<%= @v %>\n')
    await writeFile(join(root, 'client.rb'), `cookbook_path ['${root}/cookbooks']\nfile_cache_path '${root}/cache'\n`)
    const chef = async (...more: string[]): Promise<string[]> =>
      told(
        (await run(doubleProgram, ['-z', '-c', join(root, 'client.rb'), '-o', 'recipe[demo]', ...more])).stdout,
        root,
      )

    expect(await chef('--why-run')).toEqual(await expected('whyrun'))
    expect(await chef()).toEqual(await expected('apply'))
    await writeFile(join(root, 'tree/etc/app.conf'), 'port=8080\nhacked\n')
    await writeFile(join(root, 'tree/etc/secret'), 'hacked\n')
    const drift = (await chef('--why-run')).map((line) =>
      line.replace(/from [0-9a-f]{6} to 33a751/, 'from eee1c1 to 33a751'),
    )
    expect(drift).toEqual(await expected('whyrun-drift'))
  })
})

/** The lines of the converge, without what differs from run to run. */
const told = (text: string, root: string): string[] =>
  text
    .slice(text.indexOf('Recipe: '))
    .replaceAll(root, '/srv/example/chef')
    .split('\n')
    .filter((line) => !/^\[|^$|Chef::Handler/.test(line))
    .map((line) =>
      line
        .replace(/^( +(?:---|\+\+\+) ).*/, '$1FILE')
        .replace(/in \d+ seconds/, 'in N seconds')
        .replace(/, (\d+)\/(\d+) resources/, ', N resources'),
    )

async function expected(name: string): Promise<string[]> {
  const lines = told(await readFile(recorded(name), 'utf8'), '/srv/example/chef')
  // The package and the user, with what is said of them.
  return lines.filter((line) => !/apt_package|linux_user|create user/.test(line))
}
