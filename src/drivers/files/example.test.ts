import { chmod, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { filesDriver } from './index.ts'
import { exampleStack } from './testing/example.ts'
import { deploy, type FilesTest, lines, tree } from './testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

test('the web server example: deployed, tampered with, healed', async () => {
  context = await exampleStack('files', 'nginx', '/tmp/trueup-example/nginx')
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
