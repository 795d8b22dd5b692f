import { chmod, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { FilePatch } from '../../driver.ts'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest } from '../testing/stack.ts'

let context: FilesTest
afterEach(() => context.remove())

async function codified(): Promise<{ patches: FilePatch[]; lines: string[] }> {
  const next = await context.next()
  const plan = await filesDriver.plan(next)
  return { patches: (await filesDriver.codify?.(next, plan)) ?? [], lines: next.lines }
}

test('reality becomes patches that, written to Git, leave nothing to do', async () => {
  context = await filesTest({
    files: {
      'stack/src/edited': 'a\n',
      'stack/src/gone': 'b\n',
      'stack/src/tool': 'c\n',
      'stack/src/link': { link: 'edited' },
    },
    config: { source: 'src', prune: 'all' },
  })
  await deploy(context)
  await writeFile(join(context.target, 'edited'), 'edited on the host\n')
  await unlink(join(context.target, 'gone'))
  await chmod(join(context.target, 'tool'), 0o755)
  await unlink(join(context.target, 'link'))
  await symlink('tool', join(context.target, 'link'))
  await writeFile(join(context.target, 'new'), 'new\n')
  const { patches } = await codified()
  expect(patches).toEqual([
    { path: 'stack/src/edited', content: Buffer.from('edited on the host\n'), mode: '100644' },
    { path: 'stack/src/gone', content: null },
    { path: 'stack/src/link', content: Buffer.from('tool'), mode: '120000' },
    { path: 'stack/src/new', content: Buffer.from('new\n'), mode: '100644' },
    { path: 'stack/src/tool', content: Buffer.from('c\n'), mode: '100755' },
  ])
  for (const { path, content, mode } of patches) {
    if (content === null) await context.write({ [path]: null })
    else if (mode === '120000') await context.write({ [path]: { link: content.toString() } })
    else await context.write({ [path]: { content, mode: mode === '100755' ? 0o755 : 0o644 } })
  }
  expect((await filesDriver.plan(await context.next())).changes).toEqual([])
})

test('what Git cannot or must not hold is named and left out', async () => {
  context = await filesTest({
    inputs: { port: { value: 80, sensitive: false } },
    files: { 'stack/a.tmpl': '${inputs.port}\n', 'stack/mode': 'x\n', 'stack/secret': 's\n' },
    config: { templates: true, rules: [{ match: 'secret', mode: '0600' }] },
  })
  await deploy(context)
  await writeFile(join(context.target, 'a'), '81\n')
  await chmod(join(context.target, 'mode'), 0o604)
  await writeFile(join(context.target, 'secret'), 'changed\n')
  await writeFile(join(context.target, 'extra'), 'not ours\n')
  const { patches, lines } = await codified()
  expect(patches).toEqual([])
  expect(lines.map((line) => line.slice(context.target.length + 1))).toEqual([
    expect.stringMatching(/^a cannot be written to Git: it comes from a template/),
    expect.stringMatching(/^mode cannot be written to Git: .*0604/),
    expect.stringMatching(/^secret cannot be written to Git: its content is a secret/),
  ])
})
