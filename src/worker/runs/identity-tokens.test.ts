import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { handOver } from './identity-tokens.ts'
import { createMasker } from './masking.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-tokens-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

it('hands a token over as variable and file, for its owner only, and hides it', async () => {
  const masker = createMasker()
  const env = await handOver({ root }, { KUBE_TOKEN: 'ey.first.token' }, masker)
  expect(env).toEqual({ KUBE_TOKEN: 'ey.first.token', KUBE_TOKEN_FILE: join(root, 'identity/KUBE_TOKEN') })
  expect(await readFile(env.KUBE_TOKEN_FILE!, 'utf8')).toBe('ey.first.token')
  expect((await stat(env.KUBE_TOKEN_FILE!)).mode & 0o777).toBe(0o600)
  expect(masker.text('said ey.first.token')).toBe('said ***')
  const later = await handOver({ root }, { OTHER: 'ey.second.token' }, masker)
  expect(Object.keys(later)).toEqual(['OTHER', 'OTHER_FILE'])
  expect(existsSync(env.KUBE_TOKEN_FILE!)).toBe(false)
  expect(await handOver({ root }, {}, masker)).toEqual({})
  expect(existsSync(later.OTHER_FILE!)).toBe(false)
})
