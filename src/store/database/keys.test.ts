import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { refusal } from '../conformance/bench.ts'
import { type DataKeys, openKeys, rotateDataKey } from './keys.ts'
import { openStore } from '../open.ts'
import { temporaryDirectory } from '../testing/directory.ts'

async function opened() {
  const dataDir = await temporaryDirectory()
  const store = await openStore(dataDir)
  onTestFinished(() => store.close())
  return { dataDir, store, keys: await openKeys(dataDir, store.db) }
}

const openingOf = (keys: DataKeys, sealed: string, context: string) => (async () => keys.open(sealed, context))()

it('opens what it sealed, after a restart too, and only under the same context', async () => {
  const { dataDir, store, keys } = await opened()
  const again = await openKeys(dataDir, store.db)
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (plain, context) => {
      const sealed = keys.seal(Buffer.from(plain), context)
      expect(again.open(sealed, context)).toEqual(Buffer.from(plain))
      expect(() => keys.open(sealed, `${context}x`)).toThrow()
    }),
    { numRuns: 50 },
  )
  expect(keys.seal(Buffer.from('a'), 'c')).not.toBe(keys.seal(Buffer.from('a'), 'c'))
  expect((await stat(join(dataDir, 'keys', 'data.key'))).mode & 0o777).toBe(0o600)
  expect((await stat(join(dataDir, 'keys'))).mode & 0o777).toBe(0o700)
})

it('refuses what was changed, cut short or is no sealed value', async () => {
  const { keys } = await opened()
  const sealed = keys.seal(Buffer.from('secret'), 'c')
  const [version, id, body = ''] = sealed.split('.')
  const flipped = Buffer.from(body, 'base64url')
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  const bad = [
    `${version}.${id}.${flipped.toString('base64url')}`,
    `${version}.${id}.${body.slice(0, 10)}`,
    `${version}.${id}.`,
    'secret',
    '',
    `v1.00000000.${body}`,
  ]
  for (const text of bad) await refusal(openingOf(keys, text, 'c'), 'DATA_CORRUPT')
})

it('seals with a new key after a rotation and still opens what the old one sealed', async () => {
  const { dataDir, store, keys } = await opened()
  const old = keys.seal(Buffer.from('old'), 'c')
  const id = await rotateDataKey(dataDir)
  const rotated = await openKeys(dataDir, store.db)
  const fresh = rotated.seal(Buffer.from('new'), 'c')
  expect(fresh).toContain(`.${id}.`)
  expect(rotated.open(old, 'c').toString()).toBe('old')
  await refusal(openingOf(keys, fresh, 'c'), 'DATA_CORRUPT')
})

it.each(['data.key', 'audit.key'])('does not make a new %s for data that was written with another', async (name) => {
  const { dataDir, store } = await opened()
  const file = join(dataDir, 'keys', name)
  const text = await readFile(file, 'utf8')
  await rm(file)
  await refusal(openKeys(dataDir, store.db), 'DATA_CORRUPT')
  await writeFile(file, 'nonsense')
  await refusal(openKeys(dataDir, store.db), 'DATA_CORRUPT')
  const other = await opened()
  await writeFile(file, await readFile(join(other.dataDir, 'keys', name)))
  await refusal(openKeys(dataDir, store.db), 'DATA_CORRUPT')
  await writeFile(file, text)
  await openKeys(dataDir, store.db)
})

it('signs and verifies', async () => {
  const { keys } = await opened()
  const { keys: others } = await opened()
  const signature = keys.sign('text')
  expect(keys.verify('text', signature)).toBe(true)
  expect(keys.verify('texts', signature)).toBe(false)
  expect(others.verify('text', signature)).toBe(false)
  expect(keys.verify('text', '')).toBe(false)
})
