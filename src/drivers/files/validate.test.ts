import { afterEach, expect, test } from 'vitest'
import { DRIVERS } from '../registry.ts'
import { FilesConfig } from './config.ts'
import { filesDriver } from './index.ts'
import { type FilesTest, filesTest } from './testing/stack.ts'

let context: FilesTest | undefined
afterEach(async () => {
  await context?.remove()
  context = undefined
})

test('links that leave the source, rules for nothing and a missing source are found', async () => {
  context = await filesTest({
    files: { 'stack/in': { link: 'sub/../a' }, 'stack/out': { link: '../../x' }, 'stack/a': 'x' },
    config: { rules: [{ match: 'b*', mode: '0600' }] },
  })
  expect(await filesDriver.validate(context)).toMatchObject([
    { severity: 'warning', code: 'link-leaves-source', path: 'stack/out' },
    { severity: 'warning', code: 'unused-rule' },
  ])
  const other = await context.next({ config: { ...context.config, source: 'nope', rules: [] } })
  expect(await filesDriver.validate(other)).toMatchObject([{ severity: 'error', code: 'SOURCE_INVALID' }])
})

test('configurations that reach outside or make no sense are refused', () => {
  const refused = [
    {},
    { target: 'etc/nginx' },
    { target: '/srv/../etc' },
    { target: '/srv/x', source: '../other' },
    { target: '/srv/x', source: '/etc' },
    { target: '/srv/x', rules: [{ match: 'a', mode: '0999' }] },
    { target: '/srv/x', rules: [{ match: 'a', mdoe: '0644' }] },
    { target: '/srv/x', owner: 'root; rm' },
    { target: '/srv/x', exclude: ['{a'] },
    { target: '/srv/x', auditEvery: 'daily' },
    { target: '/srv/x', prune: 'yes' },
  ]
  for (const config of refused) expect(FilesConfig.safeParse(config).success, JSON.stringify(config)).toBe(false)
  expect(FilesConfig.safeParse({ target: '/srv/x' }).success).toBe(true)
})

test('the registry has the driver under its name', () => {
  for (const [name, driver] of DRIVERS) expect(driver.name).toBe(name)
  expect(DRIVERS.get('files')).toBe(filesDriver)
})
