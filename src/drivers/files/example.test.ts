import { cpSync } from 'node:fs'
import { chmod, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { TrueupConfig } from '../../domain/config/schema.ts'
import { FilesConfig } from './config.ts'
import { filesDriver } from './index.ts'
import { deploy, type FilesTest, filesTest, lines, tree } from './testing/stack.ts'

const EXAMPLE = new URL('../../../examples/files', import.meta.url).pathname

let context: FilesTest
afterEach(() => context.remove())

/** The example's stack with its target moved under the test's own directory. */
async function exampleStack(path: string): Promise<FilesTest> {
  const text = await readFile(join(EXAMPLE, 'trueup.yaml'), 'utf8')
  const stack = TrueupConfig.parse(parse(text)).stacks.find((one) => one.path === path)
  if (!stack) throw new Error(`no stack ${path}`)
  const made = await filesTest({ path, missingTarget: true, env: stack.variables })
  cpSync(EXAMPLE, made.workspace, { recursive: true, verbatimSymlinks: true })
  const moved = JSON.stringify(stack.with)
    .replaceAll(`/tmp/trueup-example/${path}`, made.target)
    .replaceAll('/tmp/trueup-example', made.root)
  const config = FilesConfig.parse(JSON.parse(moved))
  return Object.assign(await made.next({ config }), { target: made.target })
}

test('the web server example: deployed, tampered with, healed', async () => {
  context = await exampleStack('nginx')
  await context.write({ 'nginx/conf.d/default.conf': { link: 'status.conf' } })
  expect(await filesDriver.validate(context)).toEqual([])
  const { plan, result } = await deploy(context)
  expect(lines(plan, context.target)).toHaveLength(8)
  expect(result.status).toBe('applied')
  const deployed = await tree(context.target)
  expect(Object.keys(deployed).sort()).toEqual([
    'conf.d',
    'conf.d/default.conf',
    'conf.d/site.conf',
    'conf.d/status.conf',
    'nginx.conf',
    'snippets',
    'snippets/tls.conf',
  ])
  expect(deployed['conf.d/site.conf']).toContain('server_name www.example.org;')
  expect(deployed['snippets/tls.conf']).toMatch(/^640 /)
  await unlink(join(context.root, 'reloaded'))

  await writeFile(join(context.target, 'nginx.conf'), 'hacked;\n')
  await writeFile(join(context.target, 'conf.d/backdoor.conf'), 'x;\n')
  await writeFile(join(context.target, 'conf.d/mine.local'), 'kept\n')
  await chmod(join(context.target, 'snippets/tls.conf'), 0o666)
  const heal = await deploy(await context.next())
  expect(lines(heal.plan, context.target)).toEqual([
    'delete /conf.d/backdoor.conf content',
    'update /nginx.conf content',
    'update /snippets/tls.conf mode',
  ])
  expect(await tree(context.target)).toEqual({ ...deployed, 'conf.d/mine.local': '644 kept\n' })
  expect(await readFile(join(context.root, 'reloaded'), 'utf8')).toBe('')
})

test('the Compose example: placed, its command run, and a file that leaves Git leaves the host', async () => {
  context = await exampleStack('compose')
  const reload = [{ run: `ls >>${context.root}/ran` }]
  const config = { ...context.config, reload }
  await deploy(await context.next({ config }))
  expect(Object.keys(await tree(context.target)).sort()).toEqual(['compose.yaml', 'html', 'html/index.html', 'web.env'])
  await context.write({ 'compose/html/index.html': null })
  const { plan } = await deploy(await context.next({ config }))
  expect(lines(plan, context.target)).toEqual(['delete /html', 'delete /html/index.html content'])
})
