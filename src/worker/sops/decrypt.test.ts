import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { createMasker } from '../runs/masking.ts'
import { decryptSops } from './decrypt.ts'
import { decryptTree } from './decrypt-tree.ts'

/** Written by sops 3.11.0. */
const FIXTURES = join(import.meta.dirname, 'fixtures')
const KEYS = join(FIXTURES, 'keys.txt')
const read = (name: string): Promise<string> => readFile(join(FIXTURES, name), 'utf8')
const identities = async (): Promise<string[]> => [(await readFile(KEYS, 'utf8')).trim().split('\n')[1]!]

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-sops-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('decrypts what sops has written, in place, and hides every value', async () => {
  await cp(FIXTURES, directory, { recursive: true })
  await rm(join(directory, 'keys.txt'))
  await writeFile(join(directory, 'plain.yaml'), 'password: ENC[AES256_GCM, is a word\nlastmodified: today\n')
  await symlink('/etc/hostname', join(directory, 'link'))
  const masker = createMasker()
  const done = await decryptTree(directory, { env: { SOPS_AGE_KEY_FILE: KEYS }, hide: masker.add })
  expect(done).toEqual(['prod.auto.tfvars.json', 'prod.tfvars', 'secret.yaml', 'vars.yml'])
  const text = (name: string): Promise<string> => readFile(join(directory, name), 'utf8')
  // As Kubernetes reads it, where `yes` alone is true and 0123 is octal.
  const [first, second] = parseAllDocuments(await text('secret.yaml'), { version: '1.1' })
  expect(first!.toJS()).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'shop', labels: { team: 'payments', rank: '007' } },
    stringData: {
      password: 'correct-horse-battery',
      word: 'yes',
      number: '0123',
      empty: '',
      many: 'line of gold\nline of silver\n',
    },
    data: { token: 'c3dvcmRmaXNoLXN3b3JkZmlzaA==' },
  })
  expect(second!.toJS()).toMatchObject({ stringData: { pin: 'second-secret' } })
  expect(parse(await text('vars.yml'))).toEqual({
    port: 8080,
    account: 123_456_789_012,
    ratio: 1.5,
    enabled: true,
    nothing: null,
    users: [
      { name: 'ada', password: 'ada-likes-tea' },
      { name: 'bob', password: 'bob-likes-coffee' },
    ],
  })
  expect(JSON.parse(await text('prod.auto.tfvars.json'))).toEqual({
    db_password: 'tf-deep-secret',
    count: 3,
    tags: ['one-secret-tag', 'two-secret-tag'],
    on: false,
  })
  expect(await text('prod.tfvars')).toBe('password = "binary-secret-of-hcl"\n')
  for (const secret of ['correct-horse-battery', 'line of silver', 'ada-likes-tea', 'tf-deep-secret', '123456789012'])
    expect(masker.text(`said ${secret}.`), secret).not.toContain(secret)
  expect(masker.text('at 8080')).toBe('at 8080')
})

const lines = (text: string): string[] => text.split('\n')
const without = (text: string, what: RegExp): string =>
  lines(text)
    .filter((line) => !what.test(line))
    .join('\n')
it.each<[string, string, (text: string) => string]>([
  ['a value that was taken away', 'secret.yaml', (text) => without(text, /^ {4}password:/)],
  ['a value that was added', 'secret.yaml', (text) => text.replace('    empty: ""', '    empty: ""\n    more: mine')],
  ['a plain value that was changed', 'secret.yaml', (text) => text.replace('name: shop', 'name: bank')],
  ['a number that was changed', 'vars.yml', (text) => text.replace(/port: \S+/, 'port: 9090')],
  ['a document that was taken away', 'secret.yaml', (text) => text.split('\n---\n')[0]!],
  [
    'two values that changed places',
    'secret.yaml',
    (text) => {
      const [, password] = /password: (ENC\S+)/.exec(text)!
      return text.replace(/ word: ENC\S+/, ` word: ${password}`)
    },
  ],
  ['a value that was cut', 'secret.yaml', (text) => text.replace(/(password: ENC\[AES256_GCM,data:)\w{4}/, '$1')],
  [
    'an order that was changed',
    'vars.yml',
    (text) => {
      const [a = '', b = '', ...rest] = lines(text)
      return [b, a, ...rest].join('\n')
    },
  ],
  ['another time', 'prod.auto.tfvars.json', (text) => text.replace(/"lastmodified": "2/, '"lastmodified": "1')],
])('refuses %s', async (_what, name, change) => {
  const text = await read(name)
  const changed = change(text)
  expect(changed).not.toBe(text)
  const refused = await decryptSops(name, changed, await identities()).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'SOPS_FAILED' })
  expect(JSON.stringify(refused)).not.toMatch(/correct-horse|gold|likes|tf-deep|AGE-SECRET/)
})

it('says what is missing: a key, the right one, a way to read it; and leaves other files alone', async () => {
  const text = await read('secret.yaml')
  const why = async (changed: string, keys: string[]): Promise<string> => {
    const refused = await decryptSops('a/secret.yaml', changed, keys).catch((error: unknown) => error)
    return (refused as { text?: { why: string } }).text?.why ?? JSON.stringify(refused)
  }
  expect(await why(text, [])).toBe('this worker has no age key')
  const other = 'AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33'
  expect(await why(text, [other])).toMatch(/none of the age keys/)
  expect(await why(text.replaceAll('    age:', '    pgp:'), await identities())).toMatch(/PGP and the KMS/)
  expect(
    await why(text.replaceAll('    version:', '    mac_only_encrypted: true\n    version:'), await identities()),
  ).toMatch(/mac-only/)
  expect(await decryptSops('a.yaml', 'a: [ENC[AES256_GCM, lastmodified', await identities())).toBeNull()
  expect(await decryptSops('a.yaml', 'sops: {enabled: true}\na: 1', await identities())).toBeNull()
  await writeFile(join(directory, 'a.yaml'), text)
  await expect(
    decryptTree(directory, { env: { SOPS_AGE_KEY_FILE: '/nowhere' }, hide: () => {} }),
  ).rejects.toMatchObject({
    code: 'SOPS_FAILED',
  })
  expect(await readFile(join(directory, 'a.yaml'), 'utf8')).toBe(text)
})

it.each([
  ['settings.env', 'PASSWORD=ENC[AES256_GCM,data:x]\nsops_lastmodified=today\nsops_mac=ENC[AES256_GCM,data:x]\n'],
  [
    'settings.ini',
    '[web]\npassword = ENC[AES256_GCM,data:x]\n\n[sops]\nlastmodified = today\nmac = ENC[AES256_GCM,data:x]\n',
  ],
  ['large.yaml', `${'#'.repeat(8 * 1024 * 1024)}\nsops:\n  lastmodified: today\n  mac: ENC[AES256_GCM,data:x]\n`],
])('%s is not taken for plain where it cannot be read', async (name, text) => {
  await writeFile(join(directory, name), text)
  const done = decryptTree(directory, { env: { SOPS_AGE_KEY_FILE: KEYS }, hide: () => {} })
  await expect(done).rejects.toMatchObject({ code: 'SOPS_FAILED' })
})
