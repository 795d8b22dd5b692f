import { expect, test } from 'vitest'
import { detect } from './detect.ts'

const reading =
  (files: { [path: string]: string }) =>
  (path: string): Promise<Buffer | null> =>
    Promise.resolve(files[path] === undefined ? null : Buffer.from(files[path]))

test('control repositories and directories of one manifest are stacks', async () => {
  const files = ['manifests/site.pp', 'environment.conf', 'infra/web/site.pp', 'infra/web/modules/a/manifests/init.pp']
  expect((await detect(files, reading({}))).stacks).toMatchObject([{ path: '.' }, { path: 'infra/web' }])
})

test('modules, their tests and examples are not', async () => {
  const files = {
    'metadata.json': '{ "name": "a-motd", "version": "1.0.0", "dependencies": [] }',
    'manifests/init.pp': '',
    'manifests/site.pp': '',
    'spec/fixtures/site.pp': '',
    'examples/site.pp': '',
    'vendor/x/manifests/site.pp': '',
    'modules/apache/manifests/site.pp': '',
  }
  expect((await detect(Object.keys(files), reading(files))).stacks).toEqual([])
})
